import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  encodeNmnist,
  eventFrames,
  type FrameTensor,
  parseNmnist,
  readNmnist,
  recordingFrames,
  sliceEvents,
  streamFrames,
} from '../index.ts'
import { eventsOf, manyEvents } from '../testing/events.ts'

const size = { width: 3, height: 2 }
const events = eventsOf([
  [0, 0, 1, 10],
  [2, 1, 0, 15],
  [0, 0, 1, 19],
  [1, 0, 0, 45],
])
const sum = (frame: FrameTensor) => frame.data.reduce((a, b) => a + b, 0)
const all = async (frames: AsyncIterable<FrameTensor>) => {
  const list: FrameTensor[] = []
  for await (const frame of frames) list.push(frame)
  return list
}

describe('frames', () => {
  it('count events by pixel, polarity and interval', () => {
    const frames = eventFrames(size, events, { timeSteps: 2, startUs: 10, durationUs: 40 })
    expect(frames.shape).toEqual([2, 2, 2, 3])
    expect([...frames.data]).toEqual([0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    expect([...eventFrames(size, events, { timeSteps: 1, polarity: 'signed' }).data]).toEqual([2, -1, 0, 0, 0, -1])
    expect([...eventFrames(size, events, { timeSteps: 1, polarity: 'sum', clip: 1 }).data]).toEqual([1, 1, 0, 0, 0, 1])
  })

  it('leave out what lies outside a given range, and keep the last event of a measured one', () => {
    expect(sum(eventFrames(size, events, { timeSteps: 3, startUs: 12, durationUs: 10 }))).toBe(2)
    expect(sum(eventFrames(size, events, { timeSteps: 7 }))).toBe(4)
    expect(sum(eventFrames(size, eventsOf([]), { timeSteps: 7 }))).toBe(0)
  })

  it('by count hold equal numbers of events', () => {
    const frames = eventFrames({ width: 34, height: 34 }, manyEvents(1000), { timeSteps: 4, by: 'count' })
    const part = frames.data.length / 4
    for (let t = 0; t < 4; t++) expect(frames.data.subarray(t * part, (t + 1) * part).reduce((a, b) => a + b)).toBe(250)
  })

  it('are those of integers: one event in each of 100 frames, by time, by count and in a stream', async () => {
    const times = Array.from({ length: 100 }, (_, i) => [0, 0, 1, 1000 * i] as const)
    const ones = new Array(100).fill(1)
    const counts = ({ data }: FrameTensor) => Array.from({ length: 100 }, (_, t) => data[t])
    const pixel = { width: 1, height: 1 }
    const content = { timeSteps: 100, polarity: 'sum' } as const
    expect(counts(eventFrames(pixel, eventsOf(times), { ...content, startUs: 0, durationUs: 100_000 }))).toEqual(ones)
    expect(counts(eventFrames(pixel, eventsOf(times), { ...content, by: 'count' }))).toEqual(ones)
    expect((await all(streamFrames(pixel, [eventsOf(times)], { binUs: 1000, startUs: 0 }))).map(sum)).toEqual(ones)
    // beyond 2^53 as a product: time in us since 1970, and late in a long recording
    const late = 1_700_000_000_000_000
    const far = eventsOf(Array.from({ length: 100 }, (_, i) => [0, 0, 1, (late / 100) * i]))
    expect(counts(eventFrames(pixel, far, { ...content, startUs: 0, durationUs: late }))).toEqual(ones)
  })

  it('end before a given end', () => {
    const edge = eventsOf([
      [0, 0, 1, 0],
      [0, 0, 1, 9],
      [0, 0, 1, 10],
    ])
    expect(sum(eventFrames(size, edge, { timeSteps: 2, startUs: 0, durationUs: 10 }))).toBe(2)
    expect(sum(eventFrames(size, edge, { timeSteps: 2 }))).toBe(3)
  })

  it('stream by time, empty ones included, and by count', async () => {
    expect((await all(streamFrames(size, [events], { binUs: 10 }))).map(sum)).toEqual([3, 0, 0, 1])
    expect((await all(streamFrames(size, [events], { binUs: 10, startUs: 0 }))).map(sum)).toEqual([0, 3, 0, 0, 1])
    expect((await all(streamFrames(size, [events], { eventsPerFrame: 3 }))).map(sum)).toEqual([3, 1])
    expect(await all(streamFrames(size, [], { binUs: 10 }))).toEqual([])
    const late = eventsOf([
      [0, 0, 1, 10],
      [0, 0, 1, 25],
      [0, 0, 1, 12],
    ])
    expect((await all(streamFrames(size, [late], { binUs: 10 }))).map(sum)).toEqual([1, 2])
  })

  it('of a stream are those of the whole, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(2), fc.nat(1), fc.nat(1), fc.nat(5000)), { minLength: 1, maxLength: 60 }),
        fc.nat(60),
        fc.integer({ min: 1, max: 9 }),
        async (rows, cut, timeSteps) => {
          const sorted = eventsOf(rows.sort((a, b) => a[3] - b[3]))
          const parts = [sliceEvents(sorted, 0, Math.min(cut, rows.length)), sliceEvents(sorted, cut, rows.length)]
          const binUs = 700
          const startUs = 0
          const streamed = await all(streamFrames(size, parts, { binUs, startUs }))
          const whole = eventFrames(size, sorted, {
            timeSteps: streamed.length,
            startUs,
            durationUs: binUs * streamed.length,
          })
          expect(streamed.flatMap((f) => [...f.data])).toEqual([...whole.data])
          const file = encodeNmnist(sorted, size)
          for (const by of ['time', 'count'] as const)
            expect(await recordingFrames(readNmnist(file, { ...size, chunkEvents: 7 }), { timeSteps, by })).toEqual(
              eventFrames(size, parseNmnist(file, size), { timeSteps, by }),
            )
        },
      ),
      { numRuns: 200 },
    )
  })

  it('say what is wrong', async () => {
    const wrong = (options: object) => () => eventFrames(size, events, { timeSteps: 2, ...options })
    expect(wrong({ timeSteps: 0 })).toThrow(/timeSteps, got 0/)
    expect(wrong({ clip: 0 })).toThrow(/positive clip/)
    expect(wrong({ polarity: 'both' })).toThrow(/polarity/)
    expect(wrong({ durationUs: -1 })).toThrow(/positive durationUs, got -1/)
    expect(wrong({ durationUs: 0.5 })).toThrow(/whole durationUs/)
    expect(wrong({ startUs: Number.NaN })).toThrow(/whole startUs/)
    expect(wrong({ timeSteps: 65_536 })).not.toThrow()
    expect(() => eventFrames({ width: 60_000, height: 60_000 }, events, { timeSteps: 1 })).toThrow(/2\^29/)
    expect(() => eventFrames({ width: 2, height: 2 }, events, { timeSteps: 1 })).toThrow(/outside a sensor of 2 x 2/)
    await expect(all(streamFrames(size, [events], { binUs: 0 }))).rejects.toThrow(/positive whole binUs/)
    await expect(all(streamFrames(size, [events], { eventsPerFrame: 1.5 }))).rejects.toThrow(/whole eventsPerFrame/)
    await expect(all(streamFrames(size, [events], { binUs: 1, maxGapFrames: 5 }))).rejects.toThrow(/empty frames/)
    await expect(all(streamFrames(size, [events], { binUs: 1, startUs: 11 }))).rejects.toThrow(/before startUs/)
  })
})
