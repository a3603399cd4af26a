/**
 * Degrees of a composite sign with the least depth, and among those the fewest ciphertext products. The range that a factor
 * leaves, [1 - e, 1 + e], is all the next one depends on, and a smaller e is never worse: so dynamic programming over
 * (depth, products) that keeps the smallest e is exact (ePrint 2020/834, section 4).
 */
import { chebyshevPolynomial, InvalidArgumentError, PlanError, type PolynomialOperations } from '@he-ml/ckks-core'
import { seriesDepth } from './chebyshev.ts'
import { findMinimax } from './remez.ts'

/** Options of {@link searchCompositeDegrees}. */
export interface DegreeSearchOptions {
  /** Approximate sign on gap <= |x| <= 1. */
  readonly gap: number
  /** Largest error allowed there. */
  readonly error: number
  /** Degrees up to this one are tried; default 31. */
  readonly maxDegree?: number
  /** Give up beyond this depth; default 30. */
  readonly maxDepth?: number
}

/** A composition that {@link searchCompositeDegrees} found. */
export interface CompositeDegrees {
  /** Of the factors, in order of application; all odd. */
  readonly degrees: readonly number[]
  /** Levels that the circuit takes. */
  readonly depth: number
  /** Ciphertext products of the circuit. */
  readonly products: number
  /** Minimax error of the sign for gap <= |x| <= 1. */
  readonly error: number
}

/**
 * @throws PlanError ('levels') when maxDepth does not suffice; InvalidArgumentError for bad numbers
 * @example
 * ```ts
 * import { searchCompositeDegrees } from '@he-ml/activations'
 * searchCompositeDegrees({ gap: 2 ** -8, error: 2 ** -8 }).degrees
 * ```
 */
export function searchCompositeDegrees(options: DegreeSearchOptions): CompositeDegrees {
  const { gap, error, maxDegree = 31, maxDepth = 30 } = options
  if (!(gap > 0 && gap < 1)) throw new InvalidArgumentError(`the gap must lie in (0, 1), got ${gap}`)
  if (!(error >= 1e-12 && error < 1)) throw new InvalidArgumentError(`the error must lie in [1e-12, 1), got ${error}`)
  if (!Number.isInteger(maxDegree) || maxDegree < 3 || maxDegree > 63)
    throw new InvalidArgumentError(`maxDegree must be an integer from 3 to 63, got ${maxDegree}`)
  const candidates = usefulDegrees(maxDegree)
  const frontiers: CompositeDegrees[][] = [[{ degrees: [], depth: 0, products: 0, error: (1 - gap) / (1 + gap) }]]
  for (let depth = 1; depth <= maxDepth; depth++) {
    const states = candidates.flatMap((candidate) =>
      (frontiers[depth - candidate.depth] ?? []).flatMap((state) => extend(state, candidate)),
    )
    const front = paretoFront(states)
    const done = front.find((s) => s.error <= error)
    if (done) return done
    frontiers[depth] = front
  }
  throw new PlanError(
    'levels',
    `no composite of degrees up to ${maxDegree} within depth ${maxDepth} reaches error ${error} for |x| >= ${gap}: ` +
      'allow more depth, a larger error or a larger gap',
  )
}

interface Factor {
  readonly degree: number
  readonly depth: number
  readonly products: number
}

/** The composite with one more factor; none where float64 has no use for the degree. */
function extend(state: CompositeDegrees, { degree, depth, products }: Factor): CompositeDegrees[] {
  const error = factorError(degree, state.error)
  // an error of 1 is no sign at all: rounding gives that for the narrowest gaps
  if (error === undefined || error >= 1) return []
  return [
    { degrees: [...state.degrees, degree], depth: state.depth + depth, products: state.products + products, error },
  ]
}

/** Odd degrees, the largest for each pair of depth and products. */
function usefulDegrees(maxDegree: number): Factor[] {
  const best = new Map<string, Factor>()
  for (let degree = 3; degree <= maxDegree; degree += 2) {
    const { products } = oddOperations(degree)
    best.set(`${seriesDepth(degree)}/${products}`, { degree, depth: seriesDepth(degree), products })
  }
  return [...best.values()]
}

/** What an odd series of this degree without accidental zeros takes. */
export function oddOperations(degree: number): PolynomialOperations {
  const coefficients = Array.from({ length: degree + 1 }, (_, k) => (k % 2 === 1 ? 1 / k : 0))
  return chebyshevPolynomial(coefficients).operations
}

/** Fewest products first; every further one must lower the error. */
function paretoFront(states: readonly CompositeDegrees[]): CompositeDegrees[] {
  const sorted = [...states].sort((a, b) => a.products - b.products || a.error - b.error)
  const front: CompositeDegrees[] = []
  for (const s of sorted) if (front.length === 0 || s.error < front[front.length - 1]!.error) front.push(s)
  return front
}

/** Error of the minimax factor on [1 - e, 1 + e]; undefined where float64 has no use for the degree. */
function factorError(degree: number, e: number): number | undefined {
  // e^((degree + 1) / 2) is about the error: below 1e-15 a lower degree does the same
  if (degree > 3 && e ** ((degree + 1) / 2) < 1e-15) return undefined
  const interval = [1 - e, 1 + e] as const
  return findMinimax(() => 1, { intervals: [interval], degree, parity: 'odd', tolerance: 1e-4 }).error
}
