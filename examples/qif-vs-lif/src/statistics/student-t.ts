/**
 * Student's t distribution with a whole number of degrees of freedom, in closed form: P(|T| <= t) is a finite sum in the angle
 * atan(t / sqrt(df)) (Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4). A quantile is found by
 * halving: the probability rises with t.
 */
import { InvalidArgumentError } from '@he-ml/ckks-core'

const HALVINGS = 200

/**
 * P(|T| <= t) for t >= 0.
 *
 * @throws InvalidArgumentError unless df is a positive integer and t is not negative
 */
export function centralProbability(t: number, df: number): number {
  requireDegrees(df)
  if (!(t >= 0)) throw new InvalidArgumentError(`Student's t: expected t >= 0, got ${t}`)
  if (t === Infinity) return 1
  const angle = Math.atan(t / Math.sqrt(df))
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)]
  const isOdd = df % 2 === 1
  let term = isOdd ? cosine : 1
  let sum = df === 1 ? 0 : term
  for (let power = isOdd ? 3 : 2; power <= df - 2; power += 2) {
    term *= (cosine * cosine * (power - 1)) / power
    sum += term
  }
  return isOdd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum
}

/**
 * The t that |T| stays below with this probability: half the width of a confidence interval in standard errors.
 *
 * @param confidence in (0, 1): 0.95 for an interval of 95 %
 * @throws InvalidArgumentError for another confidence, or unless df is a positive integer
 */
export function twoSidedQuantile(confidence: number, df: number): number {
  requireDegrees(df)
  if (!(confidence > 0 && confidence < 1))
    throw new InvalidArgumentError(`Student's t: expected a confidence between 0 and 1, got ${confidence}`)
  let [low, high] = [0, 1]
  while (centralProbability(high, df) < confidence) high *= 2
  for (let i = 0; i < HALVINGS && high - low > Number.EPSILON * high; i++) {
    const middle = (low + high) / 2
    if (centralProbability(middle, df) < confidence) low = middle
    else high = middle
  }
  return (low + high) / 2
}

function requireDegrees(df: number): void {
  if (!(Number.isInteger(df) && df >= 1))
    throw new InvalidArgumentError(`Student's t: expected a positive whole number of degrees of freedom, got ${df}`)
}
