/**
 * Sums, products, derivatives and changes of basis or range of Chebyshev series. All are exact up to rounding; the power
 * basis is offered for low degrees only, because its coefficients grow like 2^degree.
 */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { type ChebyshevSeries, checkRange, clenshaw, interpolateChebyshev, type Range, toUnit } from './chebyshev.ts'

/** Largest degree of the conversions to and from the power basis. */
const MAX_POWER_DEGREE = 31

function sameRange(a: ChebyshevSeries, b: ChebyshevSeries, verb: string): void {
  if (a.range[0] !== b.range[0] || a.range[1] !== b.range[1])
    throw new InvalidArgumentError(
      `cannot ${verb} series on [${a.range}] and [${b.range}]: bring one to the other's range with changeRange`,
    )
}

/** a + b. @throws InvalidArgumentError when the ranges differ */
export function addSeries(a: ChebyshevSeries, b: ChebyshevSeries): ChebyshevSeries {
  sameRange(a, b, 'add')
  const length = Math.max(a.coefficients.length, b.coefficients.length)
  const coefficients = Array.from({ length }, (_, k) => (a.coefficients[k] ?? 0) + (b.coefficients[k] ?? 0))
  return { coefficients, range: a.range }
}

/** factor * a. */
export const scaleSeries = (a: ChebyshevSeries, factor: number): ChebyshevSeries => ({
  coefficients: a.coefficients.map((c) => c * factor),
  range: a.range,
})

/** a * b, from T_i T_j = (T_(i+j) + T_|i-j|) / 2. @throws InvalidArgumentError when the ranges differ */
export function multiplySeries(a: ChebyshevSeries, b: ChebyshevSeries): ChebyshevSeries {
  sameRange(a, b, 'multiply')
  const coefficients = new Array<number>(a.coefficients.length + b.coefficients.length - 1).fill(0)
  a.coefficients.forEach((x, i) => {
    b.coefficients.forEach((y, j) => {
      coefficients[i + j]! += 0.5 * x * y
      coefficients[Math.abs(i - j)]! += 0.5 * x * y
    })
  })
  return { coefficients, range: a.range }
}

/** Coefficients of d/dt, from T_k' = k U_(k-1). */
export function unitDerivative(coefficients: readonly number[]): number[] {
  const n = coefficients.length - 1
  if (n < 1) return [0]
  const d = new Array<number>(n + 2).fill(0)
  for (let k = n - 1; k >= 0; k--) d[k] = d[k + 2]! + 2 * (k + 1) * coefficients[k + 1]!
  d[0]! *= 0.5
  return d.slice(0, n)
}

/** d/dx of a series, on the same range. */
export function differentiateSeries(series: ChebyshevSeries): ChebyshevSeries {
  const [lo, hi] = series.range
  return { coefficients: unitDerivative(series.coefficients).map((c) => (2 * c) / (hi - lo)), range: series.range }
}

/**
 * The same polynomial written for another range. Widening a range multiplies rounding errors by up to about
 * (2 * width ratio)^degree: meant for narrowing, or for low degrees.
 */
export function changeRange(series: ChebyshevSeries, range: Range): ChebyshevSeries {
  checkRange(range)
  return interpolateChebyshev(
    (x) => clenshaw(series.coefficients, toUnit(series.range, x)),
    series.coefficients.length - 1,
    range,
  )
}

/**
 * Coefficients of 1, x, x^2, ...
 * @throws InvalidArgumentError above degree 31
 */
export function toPowerBasis(series: ChebyshevSeries): number[] {
  const n = checkPowerDegree(series.coefficients.length - 1)
  const [lo, hi] = series.range
  const slope = 2 / (hi - lo)
  const offset = -(lo + hi) / (hi - lo)
  // Clenshaw's recurrence carried out on polynomials in x; 2t = 2 slope x + 2 offset.
  const timesT = (p: number[]) => {
    const q = new Array<number>(n + 1).fill(0)
    for (let i = 0; i <= n; i++) q[i] = offset * p[i]! + (i > 0 ? slope * p[i - 1]! : 0)
    return q
  }
  let b1 = new Array<number>(n + 1).fill(0)
  let b2 = b1
  for (let k = n; k >= 0; k--) {
    const t = timesT(b1)
    const b0 = t.map((v, i) => (k > 0 ? 2 : 1) * v - b2[i]!)
    b0[0]! += series.coefficients[k]!
    b2 = b1
    b1 = b0
  }
  return b1
}

/**
 * The Chebyshev series of sum powers[k] x^k on a range.
 * @throws InvalidArgumentError above degree 31
 */
export function fromPowerBasis(powers: readonly number[], range: Range): ChebyshevSeries {
  const degree = checkPowerDegree(powers.length - 1)
  return interpolateChebyshev((x) => powers.reduceRight((sum, c) => sum * x + c, 0), degree, range)
}

function checkPowerDegree(degree: number): number {
  if (degree < 0 || degree > MAX_POWER_DEGREE)
    throw new InvalidArgumentError(
      `the power basis is offered for degrees 0 to ${MAX_POWER_DEGREE}, got ${degree}: keep the Chebyshev basis`,
    )
  return degree
}
