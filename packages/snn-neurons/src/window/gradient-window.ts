/**
 * The rectangular surrogate gradient that a neuron's own dynamics ask for. A batch estimates, by averaging g(v), how the
 * firing probability answers a shift of the membrane potential, and by averaging g(v) z how it answers a stretch, where
 * z = (v - mean) / deviation. The true answers are p(threshold) and p(threshold) z(threshold). The window is the rectangle
 * around the threshold with the smallest expected squared error of the two estimates: a wide one is biased, a narrow one
 * noisy. docs/notes/gradient-windows.md derives it and measures it; docs/adr/0004 says what was assumed.
 */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { SurrogateDescription } from '@he-ml/float-kernels'
import type { Neuron } from '@he-ml/model/spiking'
import { type InputStatistics, type MembraneDensity, membraneDensity, normalDensity } from './membrane-density.ts'

export interface GradientWindowOptions extends InputStatistics {
  /**
   * Neuron-steps that a gradient is averaged over; default 64 timeSteps, a neuron of a dense layer in a batch of 64. The
   * width falls with its fifth root only.
   */
  readonly samples?: number
}

/** A surrogate gradient derived from a neuron's dynamics, and what it was derived from. */
export interface GradientWindow {
  /** The rectangle, with its height. */
  readonly surrogate: SurrogateDescription
  /** How membranes are distributed. */
  readonly membrane: MembraneDensity
  /** Expected root mean square error of the two estimates, relative to their true size. */
  readonly mismatch: number
}

/** Half-widths searched, from the grid's cell to this many deviations of the membrane. */
const WIDEST = 4
const GRID = 200
const GOLDEN = (Math.sqrt(5) - 1) / 2

/**
 * The window of a neuron behind threshold-dependent batch normalisation.
 *
 * @throws InvalidArgumentError for options that are not positive
 * @example
 * ```ts
 * import { createNeuron, createSurrogateGradient, gradientWindow } from '@he-ml/snn-neurons'
 * const neuron = createNeuron({ kind: 'qif', a: 0.25, u1: 0, u2: 0.5, threshold: 1, reset: 'subtract' })
 * const { surrogate } = gradientWindow(neuron, { timeSteps: 4 })
 * console.log(surrogate.width, surrogate.height, createSurrogateGradient(surrogate)(0))
 * ```
 */
export function gradientWindow(neuron: Neuron, { samples, ...input }: GradientWindowOptions): GradientWindow {
  const n = samples ?? 64 * input.timeSteps
  if (!(n >= 1)) throw new InvalidArgumentError(`gradientWindow: expected samples >= 1, got ${n}`)
  const membrane = membraneDensity(neuron, input)
  const error = mismatchOf(membrane, neuron.threshold, n)
  const width = minimise((w) => error(w).mismatch, membrane)
  const { height, mismatch } = error(width)
  return { surrogate: { kind: 'rectangle', width, height }, membrane, mismatch }
}

/**
 * Expected relative error of a rectangle's two estimates: for a given height, or for the best one.
 * @returns root mean square error over root mean square truth, and the height it is for
 * @throws InvalidArgumentError unless the width is positive and there is a sample
 */
export function windowMismatch(
  membrane: MembraneDensity,
  threshold: number,
  window: { readonly width: number; readonly height?: number; readonly samples: number },
): {
  /** The given height, or the best one. */
  readonly height: number
  /** Root mean square error over root mean square truth. */
  readonly mismatch: number
} {
  const { width, samples } = window
  if (!(width > 0 && samples >= 1))
    throw new InvalidArgumentError(`windowMismatch: expected width > 0 and samples >= 1, got ${width} and ${samples}`)
  return mismatchOf(membrane, threshold, samples)(width, window.height)
}

function mismatchOf(membrane: MembraneDensity, threshold: number, n: number) {
  const moments = [0, 1, 2].map((k) => cumulative(membrane, k))
  const z = (threshold - membrane.mean) / membrane.deviation
  const truth = [membrane.atThreshold, membrane.atThreshold * z] as const
  const size = truth[0] ** 2 + truth[1] ** 2
  return (w: number, given?: number) => {
    const [m0, m1, m2] = moments.map((c) => c(threshold + w) - c(threshold - w)) as [number, number, number]
    // per unit of height: means of g and g z, and the sum of their variances
    const along = m0 * truth[0] + m1 * truth[1]
    const squares = m0 * m0 + m1 * m1
    const noise = (m0 + m2 - squares) / n
    const height = given ?? along / (squares + noise)
    const error = height * height * (squares + noise) - 2 * height * along + size
    return { height, mismatch: Math.sqrt(Math.max(0, error) / size) }
  }
}

/** x -> integral of p(v) z(v)^k up to x, by cubic interpolation between the cells' borders. */
function cumulative({ cell, start, density, mean, deviation }: MembraneDensity, k: number): (x: number) => number {
  const count = density.length
  const values = density.map((p, i) => p * ((start + (i + 0.5) * cell - mean) / deviation) ** k)
  const sums = new Float64Array(count + 1)
  for (let i = 0; i < count; i++) sums[i + 1] = sums[i]! + values[i]! * cell
  /** The integrand at the border before cell i. */
  const border = (i: number) => (values[Math.max(0, i - 1)]! + values[Math.min(count - 1, i)]!) / 2
  return (x) => {
    const position = Math.min(count, Math.max(0, (x - start) / cell))
    const i = Math.min(count - 1, Math.floor(position))
    const t = position - i
    const rise = sums[i + 1]! - sums[i]!
    const [left, right] = [border(i) * cell - rise, border(i + 1) * cell - rise]
    return sums[i]! + t * rise + t * (1 - t) * (left * (1 - t) - right * t)
  }
}

/** The best of a grid of half-widths, then golden-section search around it. */
function minimise(f: (w: number) => number, { cell, deviation }: MembraneDensity): number {
  const ratio = ((WIDEST * deviation) / cell) ** (1 / GRID)
  let best = 0
  for (let i = 1; i <= GRID; i++) if (f(cell * ratio ** i) < f(cell * ratio ** best)) best = i
  let [low, high] = [cell * ratio ** (best - 1), cell * ratio ** (best + 1)]
  for (let i = 0; i < 40; i++) {
    const [a, b] = [high - GOLDEN * (high - low), low + GOLDEN * (high - low)]
    if (f(a) < f(b)) high = b
    else low = a
  }
  return (low + high) / 2
}

/**
 * The leading term of {@link gradientWindow}'s half-width for a normal membrane potential and many samples, in closed form:
 * deviation (9 (1 + z^2)^2 / (8 samples phi(z) z^2))^(1/5), where z is the threshold in deviations from the mean.
 */
export function asymptoticHalfWidth(
  membrane: { readonly mean: number; readonly deviation: number },
  threshold: number,
  samples: number,
): number {
  const z = (threshold - membrane.mean) / membrane.deviation
  return membrane.deviation * ((9 * (1 + z * z) ** 2) / (8 * samples * normalDensity(z) * z * z)) ** 0.2
}
