import { describe, expect, it } from 'vitest'
import {
  ATIS_LIKE,
  concatenateEvents,
  createEventChunk,
  type EventChunk,
  type LabelledImages,
  loopPath,
  type MovingImage,
  type SensorModel,
  saccadePath,
  simulateDvs,
  simulateEvents,
  simulateNmnist,
} from '../../index.ts'

/** One pixel without noise, mismatch or blind time. */
const pixel: SensorModel = {
  ...ATIS_LIKE,
  width: 1,
  height: 1,
  thresholdOn: 0.5,
  thresholdOff: 0.25,
  thresholdMismatch: 0,
  refractoryUs: 0,
  leakHz: 0,
  shotHz: 0,
  darkLevel: 1,
}
const run = (scene: MovingImage, sensor: SensorModel, durationUs: number, stepUs = 1000, seed = 1): EventChunk =>
  concatenateEvents([createEventChunk(0), ...simulateEvents(scene, sensor, { durationUs, stepUs, seed })])

/** An edge from dark (left) to bright that moves over the pixel in one step: log-intensity from ln 1 to ln 2, or back. */
const edge = (isRising: boolean): MovingImage => ({
  image: { width: 2, height: 1, intensity: Float32Array.of(0, 1) },
  path: (t) => ({ x: (isRising ? -t : t - 1000) / 1000, y: 0 }),
})
const still = (level: number): MovingImage => ({
  image: { width: 1, height: 1, intensity: Float32Array.of(level) },
  path: () => ({ x: 0, y: 0 }),
  surround: 'edge',
})

describe('a pixel', () => {
  it('crosses its thresholds as often as the contrast says, evenly within a step', () => {
    // ln 2 = 0.693: at most two ON events of 0.5 and three OFF events of 0.25; fewer, where the reference begins far away
    const counts = { on: new Set<number>(), off: new Set<number>() }
    for (let seed = 0; seed < 50; seed++) {
      const on = run(edge(true), pixel, 1000, 1000, seed)
      const off = run(edge(false), pixel, 1000, 1000, seed)
      expect(on.polarity.every((p) => p === 1)).toBe(true)
      expect(off.polarity.every((p) => p === 0)).toBe(true)
      counts.on.add(on.x.length)
      counts.off.add(off.x.length)
      for (let i = 1; i < off.x.length; i++)
        expect(off.timestamp[i]! - off.timestamp[i - 1]!).toBeCloseTo((1000 * 0.25) / Math.LN2, -1)
    }
    expect([...counts.on].sort()).toEqual([0, 1, 2])
    expect([...counts.off].sort()).toEqual([0, 1, 2, 3])
  })

  it('is blind for the refractory time', () => {
    const events = run(edge(false), { ...pixel, thresholdOff: 0.05, refractoryUs: 100 }, 1000)
    expect(events.x.length).toBeGreaterThan(3)
    for (let i = 1; i < events.x.length; i++)
      expect(events.timestamp[i]! - events.timestamp[i - 1]!).toBeGreaterThanOrEqual(99)
    expect(run(edge(false), { ...pixel, thresholdOff: 0.05 }, 1000).x.length).toBeGreaterThan(2 * events.x.length * 0.9)
  })

  it('leaks ON events at the stated rate, and nothing else happens in a still scene', () => {
    expect(run(still(0.5), pixel, 2e6).x.length).toBe(0)
    const leaking = run(still(0.5), { ...pixel, leakHz: 10 }, 2e6)
    expect(leaking.x.length).toBeGreaterThanOrEqual(19)
    expect(leaking.x.length).toBeLessThanOrEqual(21)
    expect(leaking.polarity.every((p) => p === 1)).toBe(true)
  })

  it('has photon noise of both signs, a quarter of it in the light', () => {
    const rate = (level: number) => run(still(level), { ...pixel, shotHz: 1000 }, 4e6)
    const [dark, bright] = [rate(0), rate(1)]
    // Poisson: 4,000 and 1,000, five standard deviations
    expect(Math.abs(dark.x.length - 4000)).toBeLessThan(320)
    expect(Math.abs(bright.x.length - 1000)).toBeLessThan(160)
    const on = dark.polarity.reduce((a, b) => a + b, 0) / dark.x.length
    expect(Math.abs(on - 0.5)).toBeLessThan(0.04)
  })

  it('has thresholds of its own, the same in every recording', () => {
    const counts = (sensorSeed: number, seed: number) => {
      const sensor = { ...ATIS_LIKE, shotHz: 0, leakHz: 20, thresholdMismatch: 0.1, sensorSeed }
      const image = { width: 34, height: 34, intensity: new Float32Array(34 * 34).fill(0.5) }
      const perPixel = new Float64Array(34 * 34)
      // leakage fires at the stated rate whatever the threshold, so the movement has to tell
      const path = (t: number) => ({ x: 0, y: Math.sin(t / 20_000) })
      const events = run({ image, path }, sensor, 400_000, 1000, seed)
      for (let i = 0; i < events.x.length; i++) perPixel[events.y[i]! * 34 + events.x[i]!]! += 1
      return perPixel
    }
    const correlation = (a: Float64Array, b: Float64Array) => {
      const mean = (v: Float64Array) => v.reduce((s, x) => s + x, 0) / v.length
      const [ma, mb] = [mean(a), mean(b)]
      let [ab, aa, bb] = [0, 0, 0]
      for (let i = 0; i < 34; i++) {
        // the top row alone sees the edge
        ab += (a[i]! - ma) * (b[i]! - mb)
        aa += (a[i]! - ma) ** 2
        bb += (b[i]! - mb) ** 2
      }
      return ab / Math.sqrt(aa * bb)
    }
    const same = correlation(counts(1, 1), counts(1, 2))
    expect(same).toBeGreaterThan(0.5)
    expect(counts(1, 1)).toEqual(counts(1, 1))
    expect(counts(1, 1)).not.toEqual(counts(2, 1))
  })
})

const pixels = Uint8Array.from({ length: 784 }, (_, i) => (i % 28 > 10 && i % 28 < 16 && i > 140 && i < 640 ? 255 : 0))
const digits: LabelledImages = { shape: [1, 28, 28], count: 1, classes: 10, pixels, labels: Uint8Array.of(1) }
const colour: LabelledImages = {
  shape: [3, 32, 32],
  count: 1,
  classes: 10,
  pixels: Uint8Array.from({ length: 3072 }, (_, i) => (i * 31) % 256),
  labels: Uint8Array.of(1),
}

describe('recordings', () => {
  it('are the same for the same seed, others for others', () => {
    expect(simulateNmnist(digits, 0, { seed: 5 })).toEqual(simulateNmnist(digits, 0, { seed: 5 }))
    expect(simulateNmnist(digits, 0, { seed: 5 }).timestamp).not.toEqual(
      simulateNmnist(digits, 0, { seed: 6 }).timestamp,
    )
  })

  it('are in order, on the sensor, of the stated length, in three bursts', () => {
    const events = simulateNmnist(digits, 0)
    expect(events.x.length).toBeGreaterThan(1000)
    expect(events.timestamp.every((t, i) => i === 0 || t >= events.timestamp[i - 1]!)).toBe(true)
    expect(events.timestamp.at(-1)).toBeLessThan(300_000)
    expect(events.x.every((x) => x < 34) && events.y.every((y) => y < 34)).toBe(true)
    const rate = (from: number, to: number) =>
      events.timestamp.reduce((n, t) => n + (t >= from && t < to ? 1 : 0), 0) / (to - from)
    for (const saccade of [0, 1, 2]) {
      const middle = saccade * 100_000 + 50_000
      expect(rate(middle - 20_000, middle + 20_000)).toBeGreaterThan(5 * rate(middle + 42_000, middle + 50_000))
    }
  })

  it('of moving pictures come in chunks', () => {
    const chunks = [...simulateDvs(colour, 0, { sensor: { refractoryUs: 2000 } })]
    expect(chunks.length).toBeGreaterThan(1)
    expect(chunks.at(-1)!.timestamp.at(-1)).toBeGreaterThan(1_190_000)
    expect(chunks.at(-1)!.timestamp.at(-1)).toBeLessThan(1_200_000)
  })

  it('follow their paths', () => {
    const saccade = saccadePath({ centre: { x: 3, y: 3 }, amplitude: 3 })
    expect([0, 100_000, 200_000, 300_000].map(saccade)).toEqual([
      { x: 6, y: 6 },
      { x: 3, y: 0 },
      { x: 0, y: 6 },
      { x: 6, y: 6 },
    ])
    const loop = loopPath({ centre: { x: 0, y: 0 }, amplitude: 8 })
    expect([0, 25_000, 200_000].map(loop)).toEqual([
      { x: 0, y: -8 },
      { x: 4, y: -4 },
      { x: 0, y: -8 },
    ])
  })

  it('say what is wrong', () => {
    const scene = still(0.5)
    expect(() => run(scene, { ...pixel, thresholdOn: 0 }, 1000)).toThrow(/thresholdOn from 0.01/)
    expect(() => run(scene, pixel, 2 ** 31)).toThrow(/duration/)
    expect(() => run({ ...scene, surround: 2 }, pixel, 1000)).toThrow(/surround/)
    expect(() => run({ ...scene, path: () => ({ x: Number.NaN, y: 0 }) }, pixel, 1000)).toThrow(/finite place/)
    expect(() => run(still(2), pixel, 1000)).toThrow(/from 0 to 1/)
    expect(() => simulateNmnist(digits, 1)).toThrow(/there are 1/)
    expect(() => simulateNmnist(digits, 0, { sensor: { width: 20 } })).toThrow(/at most 20 x 34/)
    expect(() => simulateNmnist({ ...digits, shape: [2, 28, 14] }, 0)).toThrow(/1 or 3 channels/)
  })
})
