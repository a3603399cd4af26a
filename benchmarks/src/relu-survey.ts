/**
 * What ReLU polynomials promise before anything is encrypted: levels, products and certified errors of weighted minimax series
 * of several degrees, and of composites, each with the sign gap that serves the wanted errors best.
 */
import {
  type CompositeSign,
  certifyReluBySign,
  certifySeries,
  compositeSign,
  evaluateCompositeSign,
  findMinimax,
} from '@he-ml/activations'
import { chebyshevPolynomial, type PolynomialOperations, UnsupportedError } from '@he-ml/ckks-core'
import type { Emit } from './rows.ts'

export interface ReluErrors {
  readonly error: number
  readonly gap: number
  readonly gapError: number
}

const SERIES_DEGREES = [30, 32, 40, 46, 48, 56, 62]

const COMPOSITE_DEGREES = [
  [31],
  [3, 5],
  [3, 7],
  [5, 7],
  [7, 7],
  [7, 15],
  [13, 13],
  [15, 15],
  [7, 7, 13],
  [7, 15, 27],
  [15, 15, 27],
  [7, 15, 15, 27],
]

interface Candidate {
  readonly kind: 'series' | 'composite'
  readonly degrees: string
  readonly levels: number
  readonly operations: Pick<PolynomialOperations, 'products' | 'relinearizations'>
  readonly everywhere: number
  readonly outsideGap: number
}

/** Rows of every candidate: levels, products, relinearizations, and the certified errors in bits. */
export function surveyRelu(target: ReluErrors, emit: Emit): void {
  const candidates = [
    ...SERIES_DEGREES.map((degree) => seriesCandidate(degree, target)),
    ...COMPOSITE_DEGREES.map((degrees) => compositeCandidate(degrees, target)),
  ]
  for (const { kind, degrees, levels, operations, everywhere, outsideGap } of candidates) {
    const row = (metric: string, value: number, unit: string) =>
      emit({ name: 'relu-survey', params: { kind, degrees, gap: target.gap }, metric, value, unit })
    row('levels', levels, 'levels')
    row('products', operations.products, 'products')
    row('relinearizations', operations.relinearizations, 'relinearizations')
    row('certified-everywhere', -Math.log2(everywhere), 'bits')
    row('certified-outside-gap', -Math.log2(outsideGap), 'bits')
  }
}

/** x / 2 and the even part of the best weighted approximation of |x| / 2. */
function seriesCandidate(degree: number, { error, gap, gapError }: ReluErrors): Candidate {
  const { series } = findMinimax((x) => 0.5 * x, {
    intervals: [
      [0, gap * (1 - 2 ** -40)],
      [gap, 1],
    ],
    degree,
    parity: 'even',
    weight: (x) => 1 / (x < gap ? error : gapError),
  })
  const relu = { range: series.range, coefficients: series.coefficients.map((c, k) => (k === 1 ? 0.5 : c)) }
  const { depth, operations } = chebyshevPolynomial(relu.coefficients)
  const outside = [[-1, -gap] as const, [gap, 1] as const]
  return {
    kind: 'series',
    degrees: String(degree),
    levels: depth,
    operations,
    everywhere: certifySeries('relu', relu).certified,
    outsideGap: certifySeries('relu', relu, outside).certified,
  }
}

function compositeCandidate(degrees: readonly number[], target: ReluErrors): Candidate {
  const sign = bestSign(degrees, target)
  const parts = sign.factors.map((f) => chebyshevPolynomial(f.coefficients).operations)
  const sum = (name: 'products' | 'relinearizations') => parts.reduce((total, o) => total + o[name], 1)
  return {
    kind: 'composite',
    degrees: degrees.join('-'),
    levels: sign.depth + 1,
    operations: { products: sum('products'), relinearizations: sum('relinearizations') },
    everywhere: certifyReluBySign(sign).certified,
    outsideGap: certifyReluBySign(sign, target.gap).certified,
  }
}

/** Among sixty gaps, the one whose errors are smallest beside the wanted ones. */
function bestSign(degrees: readonly number[], target: ReluErrors): CompositeSign {
  let best: { sign: CompositeSign; ratio: number } | undefined
  for (let i = 0; i < 60; i++) {
    const sign = signWithinFloat64(degrees, target.gap * 2.5 * 0.88 ** i)
    if (!sign) continue
    const ratio = errorRatio(sign, target)
    if (!best || ratio < best.ratio) best = { sign, ratio }
  }
  if (!best) throw new UnsupportedError(`a composite sign of degrees ${degrees.join(', ')} is beyond float64`)
  return best.sign
}

/** Undefined where the gap is so wide that the last factors have nothing left to do. */
function signWithinFloat64(degrees: readonly number[], gap: number): CompositeSign | undefined {
  try {
    return compositeSign({ degrees, gap })
  } catch (error) {
    if (error instanceof UnsupportedError) return undefined
    throw error
  }
}

function errorRatio(sign: CompositeSign, { error, gap, gapError }: ReluErrors): number {
  let worst = 0
  for (let i = 0; i <= 1500; i++) {
    const x = 2 ** (-12 * (1 - i / 1500))
    const reached = 0.5 * x * Math.abs(1 - evaluateCompositeSign(sign, x))
    worst = Math.max(worst, reached / (x < gap ? error : gapError))
  }
  return worst
}
