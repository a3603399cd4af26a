/**
 * erf(x) to about 1 unit in the last place, from exp(-x^2) times a series of positive terms (no cancellation):
 * erf(x) = 2/sqrt(pi) exp(-x^2) sum 2^n x^(2n+1) / (1*3*...*(2n+1)). (Abramowitz and Stegun 7.1.6.)
 */
export function errorFunction(x: number): number {
  const a = Math.abs(x)
  if (a >= 6) return Math.sign(x)
  let term = a
  let sum = a
  for (let n = 1; term > sum * 1e-17; n++) {
    term *= (2 * a * a) / (2 * n + 1)
    sum += term
  }
  return Math.sign(x) * Math.min(1, (2 / Math.sqrt(Math.PI)) * Math.exp(-a * a) * sum)
}
