/**
 * ReLU as x / 2 plus the best even polynomial for |x| / 2, with a weight that tells the error allowed inside a gap from the
 * one allowed outside. Only T_1 and even T_k occur, of which the circuit makes no more than it needs.
 */
import { chebyshevPolynomial, type PolynomialOperations, UnsupportedError } from '@he-ml/ckks-core'
import { type ChebyshevSeries, type Range, seriesDepth } from './chebyshev.ts'
import { type Cost, compareCosts, type ReluTarget } from './relu-target.ts'
import { findMinimax } from './remez.ts'

/** Degrees beyond this are not tried: a composite of the same depth is steeper by then. */
const MAX_DEGREE = 254

/** Where the weight jumps, the inner interval ends this much (relatively) before the outer one begins. */
const SEAM = 2 ** -40

export interface ReluSeries extends Cost {
  readonly degree: number
}

/**
 * The best series of an even degree on [-1, 1].
 * @returns `ratio`: its largest error over the one allowed there; at most 1 when the target is met
 * @throws UnsupportedError when the exchange does not converge
 */
export function weightedRelu(degree: number, target: ReluTarget): { series: ChebyshevSeries; ratio: number } {
  const { error, gap, gapError } = target
  const intervals: Range[] =
    gap === 0
      ? [[0, 1]]
      : [
          [0, gap * (1 - SEAM)],
          [gap, 1],
        ]
  const found = findMinimax((x) => 0.5 * x, {
    intervals,
    degree,
    parity: 'even',
    weight: (x) => 1 / (x < gap ? error : gapError),
    tolerance: 1e-6,
  })
  const coefficients = [...found.series.coefficients]
  coefficients[1] = 0.5
  return { series: { coefficients, range: [-1, 1] }, ratio: found.error }
}

/** Degrees that meet the target within the depth, cheapest first. */
export function* reluDegrees(target: ReluTarget, maxDepth: number): Generator<ReluSeries> {
  const ratios = new Map<number, number>()
  const meets = (degree: number): boolean => {
    if (!ratios.has(degree)) ratios.set(degree, ratioOf(degree, target))
    return ratios.get(degree)! <= 1
  }
  for (let depth = 2; depth <= Math.min(maxDepth, seriesDepth(MAX_DEGREE)); depth++) {
    const most = 2 ** depth - 2
    if (!meets(most)) continue
    let low = 2 ** (depth - 1) - 2
    let high = most
    while (high - low > 2) {
      const middle = low + 2 * Math.floor((high - low) / 4)
      if (meets(middle)) high = middle
      else low = middle
    }
    const found: ReluSeries[] = []
    for (let degree = high; degree <= most; degree += 2) found.push({ degree, depth, operations: operationsOf(degree) })
    yield* found.sort((a, b) => compareCosts(a, b) || a.degree - b.degree)
  }
}

function ratioOf(degree: number, target: ReluTarget): number {
  try {
    return weightedRelu(degree, target).ratio
  } catch (error) {
    if (error instanceof UnsupportedError) return Number.POSITIVE_INFINITY
    throw error
  }
}

/** Of a series without accidental zeros: the circuit depends on which coefficients, and which sums of them, vanish. */
const operationsOf = (degree: number): PolynomialOperations =>
  chebyshevPolynomial(Array.from({ length: degree + 1 }, (_, k) => (k === 1 || k % 2 === 0 ? 1 / (k + 1) : 0)))
    .operations
