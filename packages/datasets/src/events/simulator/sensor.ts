/**
 * What an event camera's pixel does (P. Lichtsteiner, C. Posch, T. Delbruck, IEEE J. Solid-State Circuits 43, 2008; noise after
 * Y. Hu, S.-C. Liu, T. Delbruck, "v2e", arXiv 2006.07722): it keeps the log-intensity at its last event as reference, fires ON
 * when the log-intensity has risen by its ON threshold and OFF when it has fallen by its OFF threshold, is blind for the
 * refractory time, and takes the log-intensity at the end of it as new reference. Thresholds differ from pixel to pixel; the
 * reference leaks downwards, which fires ON events in a constant scene; photon noise fires events of either sign, more in the
 * dark.
 */
import { DatasetFormatError } from '../../errors.ts'
import { checkSize, type SensorSize } from '../event-chunk.ts'
import type { EventBuffer } from './event-buffer.ts'
import { Random } from './random.ts'

/** An event camera's parameters. Thresholds are in natural-log units of intensity. */
export interface SensorModel extends SensorSize {
  /** Mean thresholds; a change of contrast of 28 % is 0.25. */
  readonly thresholdOn: number
  /** Mean threshold of OFF events, positive as well. */
  readonly thresholdOff: number
  /** Standard deviation of the thresholds over pixels. */
  readonly thresholdMismatch: number
  /** Blind time after an event, in us. */
  readonly refractoryUs: number
  /** ON events per second and pixel that leakage alone fires. */
  readonly leakHz: number
  /** Events per second and pixel that photon noise fires in the dark; a quarter of it at full intensity. */
  readonly shotHz: number
  /** Added to intensities in [0, 1] before the logarithm: stray light and dark current. Sets the largest contrast. */
  readonly darkLevel: number
  /** Seed of the mismatch: a sensor is the same in all of its recordings. */
  readonly sensorSeed: number
}

/** @throws DatasetFormatError naming the parameter that is out of its range */
export function checkSensor(sensor: SensorModel): void {
  checkSize(sensor, 4096, 'sensor')
  const ranges: readonly (readonly [keyof SensorModel, number, number])[] = [
    ['thresholdOn', 0.01, 10],
    ['thresholdOff', 0.01, 10],
    ['thresholdMismatch', 0, 1],
    ['refractoryUs', 0, 1e6],
    ['leakHz', 0, 1000],
    ['shotHz', 0, 10_000],
    ['darkLevel', 1e-4, 10],
    ['sensorSeed', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  ]
  for (const [name, low, high] of ranges)
    if (!(sensor[name] >= low && sensor[name] <= high))
      throw new DatasetFormatError(`sensor: expected ${name} from ${low} to ${high}, got ${sensor[name]}`)
}

const US = 1e-6
/** No threshold below this share of the mean, or a badly mismatched pixel would fire without end. */
const LEAST_THRESHOLD = 0.2
/** Photon noise at full intensity is rarer by this share. */
const BRIGHT_SAVING = 0.75

/**
 * The state of all pixels. Leakage is a slow fall of the reference; here the signal rises by as much instead, so that the
 * reference is written at events only: signal(t) = log-intensity + leak * t.
 */
export class PixelArray {
  readonly count: number
  readonly #refractoryUs: number
  readonly #shotRate: number
  readonly #random: Random
  readonly #on: Float64Array
  readonly #off: Float64Array
  readonly #leak: Float64Array
  readonly #reference: Float64Array
  readonly #heldUntil: Float64Array
  readonly #nextShot: Float64Array

  /** @param random decides all that differs between recordings of one sensor */
  constructor(sensor: SensorModel, random: Random) {
    checkSensor(sensor)
    const count = sensor.width * sensor.height
    this.count = count
    this.#refractoryUs = sensor.refractoryUs
    this.#shotRate = sensor.shotHz * US
    this.#random = random
    const fixed = new Random(sensor.sensorSeed)
    const thresholds = (mean: number) =>
      Float64Array.from({ length: count }, () =>
        Math.max(LEAST_THRESHOLD * mean, mean + sensor.thresholdMismatch * fixed.normal()),
      )
    this.#on = thresholds(sensor.thresholdOn)
    this.#off = thresholds(sensor.thresholdOff)
    this.#leak = this.#on.map((threshold) => sensor.leakHz * US * threshold)
    this.#reference = new Float64Array(count)
    this.#heldUntil = new Float64Array(count)
    this.#nextShot = Float64Array.from({ length: count }, () => random.exponential(this.#shotRate))
  }

  /** Sets the references: the pixels have seen this scene before, and stand anywhere between their thresholds. */
  start(logIntensity: Float64Array): void {
    for (let p = 0; p < this.count; p++) {
      const share = this.#random.uniform()
      this.#reference[p] = logIntensity[p]! + share * this.#off[p]! - (1 - share) * this.#on[p]!
    }
  }

  /**
   * All pixels from time t0 to t1 (us), log-intensities going in a straight line from `before` to `after`; events in no order.
   * @param intensity at t1, in [0, 1]: how often photon noise fires
   */
  advance(
    before: Float64Array,
    after: Float64Array,
    intensity: Float64Array,
    t0: number,
    t1: number,
    events: EventBuffer,
  ): void {
    const [reference, on, off, leak] = [this.#reference, this.#on, this.#off, this.#leak]
    const [heldUntil, nextShot] = [this.#heldUntil, this.#nextShot]
    for (let p = 0; p < this.count; p++) {
      const end = after[p]! + leak[p]! * t1
      const difference = end - reference[p]!
      // a straight line that starts between the thresholds and ends between them crosses neither
      if (difference < on[p]! && -difference < off[p]! && nextShot[p]! > t1 && heldUntil[p]! <= t0) continue
      this.#follow(p, before[p]! + leak[p]! * t0, end, intensity[p]!, t0, t1, events)
    }
  }

  /** One pixel through [t0, t1], its signal going from `begin` to `end`. */
  #follow(p: number, begin: number, end: number, intensity: number, t0: number, t1: number, events: EventBuffer): void {
    const slope = (end - begin) / (t1 - t0)
    let held = this.#heldUntil[p]!
    let from = t0
    for (;;) {
      if (held > t1) break
      if (held > from) {
        from = held
        this.#reference[p] = begin + slope * (from - t0)
      }
      const reference = this.#reference[p]!
      const target = slope > 0 ? reference + this.#on[p]! : reference - this.#off[p]!
      const crossing = slope === 0 ? Number.POSITIVE_INFINITY : Math.max(from, t0 + (target - begin) / slope)
      let shot = this.#nextShot[p]!
      while (shot < from) shot += this.#random.exponential(this.#shotRate)
      this.#nextShot[p] = shot
      const time = Math.min(crossing, shot)
      if (time >= t1) break
      let isOn = slope > 0
      if (shot <= crossing) {
        this.#nextShot[p] = shot + this.#random.exponential(this.#shotRate)
        // waiting times are drawn at the rate of the dark and thinned to the intensity's rate
        if (this.#random.uniform() > 1 - BRIGHT_SAVING * intensity) continue
        isOn = this.#random.uniform() < 0.5
      }
      events.add(time, p, isOn)
      this.#reference[p] = begin + slope * (time - t0)
      held = time + this.#refractoryUs
      from = time
    }
    this.#heldUntil[p] = held
  }
}
