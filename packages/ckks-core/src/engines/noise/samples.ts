import { InvalidArgumentError } from '../../errors/errors.ts'
import type { SlotValues } from '../../port/slot-values.ts'

/** Typical values of a ciphertext's slots. */
export interface Samples {
  /** Values as slots hold them. */
  readonly values: SlotValues
  /** How often each occurs, in any unit. Default: all equally often. */
  readonly weights?: Float64Array
}

/** Regular nodes of the default samples. */
const REGULAR = 128

/** Octaves around zero, two nodes each and on either side: down to 2^-20. */
const OCTAVES = 14

/** Share of values in [-1, x]: half of them uniform, half with the density 1 / (pi sqrt(1 - x^2)). */
const share = (x: number): number => (x + 1) / 4 + (1 - Math.acos(x) / Math.PI) / 2

/**
 * Cells of [-1, 1], the middle of each standing for its share: half of the regular borders are equally spaced and half crowd
 * at the ends as the values of a cosine do; around zero cells shrink, for the slope of a composite sign is nowhere else, and
 * no wider than what it tells apart.
 */
function unitBorders(): Float64Array {
  const borders = new Set([-1, 1])
  for (let i = 0; i <= REGULAR / 2; i++) {
    borders.add((4 * i) / REGULAR - 1)
    borders.add(Math.cos((2 * Math.PI * i) / REGULAR))
  }
  for (let i = 0; i <= 2 * OCTAVES; i++) for (const sign of [-1, 1]) borders.add(sign * 2 ** (-6 - i / 2))
  return Float64Array.from(borders).sort()
}

const borders = unitBorders()

/** The middles of the cells, each with what the distribution function gives it. */
function cells(share: (x: number) => number): Required<Samples> & { readonly values: Float64Array } {
  const rights = borders.subarray(1)
  return {
    values: rights.map((right, i) => (borders[i]! + right) / 2),
    // a distribution function never falls; its round-off may
    weights: rights.map((right, i) => Math.max(0, share(right) - share(borders[i]!))),
  }
}

const unit = cells(share)

/**
 * Samples where nothing is known of the input but that it lies in [-1, 1]. With a magnitude: the same, stretched to that
 * root mean square.
 */
export function defaultSamples(magnitude?: number): Required<Samples> {
  if (magnitude === undefined) return unit
  const { values, weights } = unit
  const factor = magnitude / Math.sqrt(values.reduce((sum, x, i) => sum + weights[i]! * x * x, 0))
  return { values: values.map((x) => factor * x), weights }
}

/** Weights that sum up to 1. @throws InvalidArgumentError for negative weights, none above 0, or a wrong number of them */
export function normalWeights(count: number, weights?: Float64Array): Float64Array {
  if (!weights) return new Float64Array(count).fill(1 / count)
  const sum = weights.reduce((a, b) => a + b, 0)
  if (weights.length !== count || !weights.every((w) => w >= 0) || !(sum > 0 && Number.isFinite(sum)))
    throw new InvalidArgumentError(
      `expected ${count} weights that are not negative and not all zero, got ${weights.length} with the sum ${sum}`,
    )
  return weights.map((w) => w / sum)
}

/** How often values were seen: counts in equal bins over a range. */
export interface SampleCounts {
  /** Where the bins lie. */
  readonly range: readonly [lo: number, hi: number]
  /** Values seen in each bin, lowest first. */
  readonly counts: ArrayLike<number>
}

/**
 * The cells of {@link defaultSamples} with the weights of a histogram; what lies outside [-1, 1] counts at the next end.
 * @throws InvalidArgumentError for an empty range, or counts that are negative, not finite or all zero
 */
export function histogramSamples({ range: [lo, hi], counts }: SampleCounts): Required<Samples> {
  const total = Array.from(counts).reduce((a, b) => a + b, 0)
  if (!(hi > lo && total > 0 && Number.isFinite(total)) || Array.from(counts).some((count) => !(count >= 0)))
    throw new InvalidArgumentError(
      `expected a range and counts that are not all zero, got [${lo}, ${hi}] with ${total}`,
    )
  const below = new Float64Array(counts.length + 1)
  for (let i = 0; i < counts.length; i++) below[i + 1] = below[i]! + counts[i]! / total
  const upTo = (x: number): number => {
    if (x === -1 || x === 1) return x > 0 ? 1 : 0
    const at = Math.min(counts.length, Math.max(0, ((x - lo) / (hi - lo)) * counts.length))
    const bin = Math.min(counts.length - 1, Math.floor(at))
    return below[bin]! + (at - bin) * (below[bin + 1]! - below[bin]!)
  }
  return cells(upTo)
}
