import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { InputStatistics, Shape } from '@he-ml/model'
import type { ValueSize } from './calibration.ts'

const BINS = 512

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

  /** @throws InvalidArgumentError for NaN or infinities; `where` names the layer */
  add(values: Float64Array, where: string): void {
    for (const x of values) {
      if (!Number.isFinite(x))
        throw new InvalidArgumentError(`fit: the input of "${where}" is ${x}; check the calibration data`)
      this.#count++
      const delta = x - this.#mean
      this.#mean += delta / this.#count
      this.#m2 += delta * (x - this.#mean)
      if (x < this.#min) this.#min = x
      if (x > this.#max) this.#max = x
      this.#bin(x)
    }
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
    }
  }

  #bin(x: number): void {
    const size = Math.abs(x)
    if (this.#half === 0) {
      if (size === 0) {
        this.#bins[BINS / 2]!++
        return
      }
      this.#half = 2 ** Math.ceil(Math.log2(size))
    }
    while (size > this.#half) {
      const old = this.#bins.slice()
      this.#bins.fill(0)
      for (let i = 0; i < BINS; i++) this.#bins[BINS / 4 + (i >> 1)]! += old[i]!
      this.#half *= 2
    }
    // half is a power of two, so both operations are exact; x + half is not, and a tiny x below zero would count as positive
    const index = BINS / 2 + Math.floor((x / this.#half) * (BINS / 2))
    this.#bins[Math.min(BINS - 1, index)]!++
  }
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

  add(values: Float64Array): void {
    const size = values.length / this.#channels.length
    for (const [c, channel] of this.#channels.entries()) {
      for (let i = c * size; i < (c + 1) * size; i++) {
        const x = values[i]!
        const square = x * x
        channel.sum += x
        channel.squares += square
        this.#sixths += square * square * square
        if (x < channel.min) channel.min = x
        if (x > channel.max) channel.max = x
      }
      channel.count += size
    }
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
