/**
 * How far errors stray from their root mean square. Rounding leaves tau1 s in a slot, and so do key switches: tau1 is new each
 * time, but the slot of the secret is the same as long as the key lives. Both are sums of N terms, so nearly normal, and the real
 * part of their product has a Laplace distribution: P(|error| > a rms) = exp(-sqrt(2) a), far heavier than a normal one. Errors
 * made of several such terms have lighter tails, so what is said here holds for them too (docs/notes/noise-model.md).
 */
import { InvalidArgumentError } from '../../errors/errors.ts'

/** What is compared with a root mean square. */
export interface ErrorTail {
  /** Real numbers whose errors are looked at. */
  readonly values: number
  /** Probability with which a sound prediction may be missed. */
  readonly failure: number
}

/** Moments up to this one bound sums from above. */
const MOST_MOMENTS = 120

/**
 * Factor by which the root mean square measured on `values` real numbers exceeds the true one with probability `failure` at
 * most, if their errors are independent. Markov's inequality on the moments of the sum of squares: E[e^2k] = (2k)! / 2^k at a
 * mean square of 1.
 * @throws InvalidArgumentError
 */
export function highRmsFactor(tail: ErrorTail): number {
  const { values, failure } = checked(tail)
  let least = Number.POSITIVE_INFINITY
  for (const [k, logMoment] of logMomentsOfSum(values).entries())
    if (k > 0) least = Math.min(least, (logMoment - Math.log(failure)) / k)
  return Math.sqrt(Math.exp(least) / values)
}

/**
 * The factor, below 1, under which the measured root mean square falls with probability `failure` at most. Chernoff's bound:
 * a Laplace error e has E[exp(-t e^2)] = integral of exp(-x - t x^2 / 2) over x > 0.
 * @throws InvalidArgumentError
 */
export function lowRmsFactor(tail: ErrorTail): number {
  const { values, failure } = checked(tail)
  let most = 0
  for (let i = -20; i <= 120; i++) {
    const t = 2 ** (i / 2)
    most = Math.max(most, (Math.log(failure) / values - logLaplaceOfSquare(t)) / t)
  }
  return Math.sqrt(most)
}

/**
 * ln E[S^k] for S = e_1^2 + ... + e_n^2: k! times a coefficient of (sum of m_j z^j / j!)^n, by J. C. P. Miller's recurrence
 * for powers.
 */
function logMomentsOfSum(n: number): number[] {
  // a_j = m_j / j!, as logarithms: they outgrow doubles
  const a: number[] = [0]
  for (let j = 1; j <= MOST_MOMENTS; j++) a.push(a[j - 1]! + Math.log(2 * j - 1))
  const b: number[] = [0]
  const moments: number[] = [0]
  let logFactorial = 0
  for (let k = 1; k <= MOST_MOMENTS; k++) {
    const terms = Array.from({ length: k }, (_, i) => signedTerm(i + 1, k, n, a[i + 1]!, b[k - i - 1]!))
    b.push(logOfSum(terms) - Math.log(k))
    logFactorial += Math.log(k)
    moments.push(b[k]! + logFactorial)
  }
  return moments
}

interface SignedTerm {
  readonly log: number
  readonly sign: number
}

const signedTerm = (j: number, k: number, n: number, a: number, b: number): SignedTerm => {
  const factor = (n + 1) * j - k
  return { log: factor === 0 ? Number.NEGATIVE_INFINITY : Math.log(Math.abs(factor)) + a + b, sign: Math.sign(factor) }
}

function logOfSum(terms: readonly SignedTerm[]): number {
  const top = Math.max(...terms.map((t) => t.log))
  return top + Math.log(terms.reduce((sum, { log, sign }) => sum + sign * Math.exp(log - top), 0))
}

/** ln of the integral of exp(-x - t x^2 / 2), by Simpson's rule over the part that counts. */
function logLaplaceOfSquare(t: number): number {
  const end = Math.min(40, 9 / Math.sqrt(t))
  const steps = 2000
  let sum = 0
  for (let i = 0; i <= steps; i++) {
    const x = (end * i) / steps
    const weight = i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2
    sum += weight * Math.exp(-x - (t * x * x) / 2)
  }
  return Math.log((sum * end) / steps / 3)
}

function checked({ values, failure }: ErrorTail): ErrorTail {
  if (!(Number.isSafeInteger(values) && values >= 1))
    throw new InvalidArgumentError(`values must be a positive integer, got ${values}`)
  if (!(failure > 0 && failure < 1))
    throw new InvalidArgumentError(`failure must be a probability between 0 and 1, got ${failure}`)
  return { values, failure }
}
