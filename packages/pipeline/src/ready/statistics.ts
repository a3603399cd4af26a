import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { InputStatistics, Shape } from '@he-ml/model'
import type { ValueSize } from './calibration.ts'

/** In either precision; statistics of them are in double precision. */
export type Numbers = Float32Array | Float64Array

const BINS = 512
/** Of each channel: they weigh errors of a polynomial, no more. */
const CHANNEL_BINS = 128

/**
 * Running statistics of one activation's input. The histogram's range doubles when a value falls outside, merging bins in
 * pairs, so one pass suffices whatever the data.
 */
export class StatisticsCollector {
  #count = 0
  #min = Infinity
  #max = -Infinity
  #mean = 0
  #m2 = 0
  #half = 0
  readonly #bins = new Float64Array(BINS)
  readonly #channels: readonly Float64Array[]
  readonly #step: number | undefined
  #offGrid = 0

  /**
   * @param channels of which each gets a histogram of its own: equal parts of the values, one after the other; default none
   * @param step of a grid that the first input is meant to lie on; default none
   */
  constructor(channels = 0, step?: number) {
    this.#step = step
    this.#channels = Array.from({ length: channels }, () => new Float64Array(CHANNEL_BINS))
  }

  /**
   * The moments of these values alone, in two passes, joined with those of the values before (Chan, Golub, LeVeque 1979).
   * @throws InvalidArgumentError for NaN or infinities; `where` names the layer
   */
  add(values: Numbers, where: string): void {
    const count = values.length
    if (count === 0) return
    let sum = 0
    let min = Infinity
    let max = -Infinity
    for (let i = 0; i < count; i++) {
      const x = values[i]!
      sum += x
      if (x < min) min = x
      if (x > max) max = x
    }
    if (!Number.isFinite(sum)) refuseNonFinite(values, where)
    this.#min = Math.min(this.#min, min)
    this.#max = Math.max(this.#max, max)
    this.#widen(Math.max(-min, max))
    const mean = sum / count
    const apart = mean - this.#mean
    const total = this.#count + count
    this.#m2 += this.#bin(values, mean) + apart * apart * ((this.#count * count) / total)
    this.#mean += apart * (count / total)
    this.#count = total
  }

  /** How far off the grid these are. */
  onGrid(values: Numbers): void {
    if (this.#step !== undefined) this.#offGrid = Math.max(this.#offGrid, furthest(values, this.#step))
  }

  /** The histogram covers [-half, half] in equal bins, the rest of the interface is exact. */
  result(): InputStatistics {
    return {
      count: this.#count,
      min: this.#count === 0 ? 0 : this.#min,
      max: this.#count === 0 ? 0 : this.#max,
      mean: this.#mean,
      std: this.#count > 1 ? Math.sqrt(this.#m2 / (this.#count - 1)) : 0,
      histogram: resample(this.#bins, this.#half, this.#min, this.#max),
      ...(this.#channels.length > 0 && this.#half > 0
        ? { channels: { half: this.#half, counts: this.#channels.map((bins) => bins.slice()) } }
        : {}),
      ...(this.#step === undefined ? {} : { offGrid: this.#offGrid }),
    }
  }

  /** Until the histogram holds values of this size. */
  #widen(size: number): void {
    if (size === 0) return
    if (this.#half === 0) this.#half = 2 ** Math.ceil(Math.log2(size))
    while (size > this.#half) {
      for (const bins of [this.#bins, ...this.#channels]) inPairs(bins)
      this.#half *= 2
    }
  }

  /** Counts the values; the sum of their squared distances from `mean`. */
  #bin(values: Numbers, mean: number): number {
    const bins = this.#bins
    const half = this.#half === 0 ? 1 : this.#half
    let squares = 0
    for (let i = 0; i < values.length; i++) {
      const x = values[i]!
      squares += (x - mean) * (x - mean)
      // half is a power of two, so both operations are exact; x + half is not, and a tiny x below zero would count as positive
      const index = BINS / 2 + Math.floor((x / half) * (BINS / 2))
      bins[index < BINS ? index : BINS - 1]!++
    }
    const size = values.length / Math.max(1, this.#channels.length)
    for (const [c, own] of this.#channels.entries())
      for (let i = c * size; i < (c + 1) * size; i++) {
        const index = CHANNEL_BINS / 2 + Math.floor((values[i]! / half) * (CHANNEL_BINS / 2))
        own[index < CHANNEL_BINS ? index : CHANNEL_BINS - 1]!++
      }
    return squares
  }
}

/** From the nearest multiple of `step`, in steps. */
function furthest(values: Numbers, step: number): number {
  let most = 0
  for (let i = 0; i < values.length; i++) {
    const x = values[i]! / step
    most = Math.max(most, Math.abs(x - Math.round(x)))
  }
  return most
}

/** Bins over a range twice as long. */
function inPairs(bins: Float64Array): void {
  const old = bins.slice()
  bins.fill(0)
  for (let i = 0; i < old.length; i++) bins[old.length / 4 + (i >> 1)]! += old[i]!
}

function refuseNonFinite(values: Numbers, where: string): void {
  const bad = values.find((x) => !Number.isFinite(x))
  if (bad !== undefined)
    throw new InvalidArgumentError(`fit: the input of "${where}" is ${bad}; check the calibration data`)
}

/** Running size of a value, and where the values of each channel lie. */
export class SizeCollector {
  #largest = 0
  #squares = 0
  #sixths = 0
  #count = 0
  readonly #channels: { count: number; sum: number; squares: number; min: number; max: number }[]

  /** @param shape the first dimension counts channels */
  constructor(shape: Shape) {
    this.#channels = Array.from({ length: shape[0] ?? 1 }, () => {
      return { count: 0, sum: 0, squares: 0, min: Infinity, max: -Infinity }
    })
  }

  add(values: Numbers): void {
    const size = values.length / this.#channels.length
    let start = 0
    let sixths = 0
    for (const channel of this.#channels) {
      const end = start + size
      let { sum, squares, min, max } = channel
      for (let i = start; i < end; i++) {
        const x = values[i]!
        const square = x * x
        sum += x
        squares += square
        sixths += square * square * square
        if (x < min) min = x
        if (x > max) max = x
      }
      channel.sum = sum
      channel.squares = squares
      channel.min = min
      channel.max = max
      channel.count += size
      start = end
    }
    this.#sixths += sixths
    this.#count += values.length
  }

  result(): ValueSize {
    for (const { squares, min, max } of this.#channels) {
      this.#squares += squares
      this.#largest = Math.max(this.#largest, -min, max)
    }
    const count = Math.max(1, this.#count)
    const means = this.#channels.map((c) => c.sum / Math.max(1, c.count))
    return {
      largest: this.#largest,
      rms: Math.sqrt(this.#squares / count),
      sixth: (this.#sixths / count) ** (1 / 6),
      channels: {
        mean: means,
        std: this.#channels.map((c, i) => Math.sqrt(Math.max(0, c.squares / Math.max(1, c.count) - means[i]! ** 2))),
        min: this.#channels.map((c) => Math.min(c.min, c.max)),
        max: this.#channels.map((c) => Math.max(c.min, c.max)),
      },
    }
  }
}

/** Spreads bins over [-half, half] onto equal bins over [min, max], mass preserved. */
function resample(bins: Float64Array, half: number, min: number, max: number): Float64Array {
  const out = new Float64Array(BINS)
  if (!(max > min) || half === 0) {
    out[0] = bins.reduce((a, b) => a + b, 0)
    return out
  }
  const width = (2 * half) / BINS
  for (let i = 0; i < BINS; i++) {
    if (bins[i] === 0) continue
    const from = Math.max(min, -half + i * width)
    const to = Math.min(max, -half + (i + 1) * width)
    const first = Math.max(0, Math.min(BINS - 1, Math.floor(((from - min) / (max - min)) * BINS)))
    const last = Math.max(first, Math.min(BINS - 1, Math.ceil(((to - min) / (max - min)) * BINS) - 1))
    for (let j = first; j <= last; j++) out[j]! += bins[i]! / (last - first + 1)
  }
  return out
}
