/**
 * The ephemeral sparse secret of bootstrapping (Bossuat, Troncoso-Pastoriza and Hubaux, ePrint 2022/024). Just before
 * modRaise a ciphertext is switched to a secret of 32 non-zero coefficients, so that the multiple of q0 that modRaise adds
 * is small; right after it is switched back. The sparse secret only ever sees the modulus q0 times a few special primes,
 * which is small enough to be secure although the secret is sparse.
 */
import { SecurityError } from '../errors/errors.ts'
import { type AnyParameters, Parameters } from './parameters.ts'

/** Non-zero coefficients of the ephemeral secret. */
export const EPHEMERAL_WEIGHT = 32

/**
 * |c0 + c1 s| / q0 never exceeds (1 + weight) / 2 when the coefficients of c0 and c1 lie in [-q0/2, q0/2]: no multiple of
 * q0 that modRaise adds is larger than this, whatever the randomness.
 */
export const RAISE_BOUND = (1 + EPHEMERAL_WEIGHT) / 2

/**
 * Largest log2 of the modulus under which a secret of 32 non-zero coefficients keeps 128-bit security: the moduli q0 p0 of
 * the parameter sets of ePrint 2022/024 (60 + 61 bits at N = 2^16; 33 + 51 bits at N = 2^15, the smaller of its two sets).
 * Estimated again in docs/notes/security-estimates.md, which a change here must follow.
 */
export const MAX_LOG_SPARSE_128: Readonly<Record<number, number>> = Object.freeze({ 15: 84, 16: 121, 17: 121 })

/** Bits of P below q0 at which the noise of the first switch would exceed that of rounding by too much. */
const TOLERATED_SHORTFALL = 6

/** Limit of the modulus of the ephemeral key; insecure parameters have none. */
function sparseLimit(parameters: AnyParameters): number {
  if (!(parameters instanceof Parameters)) return Number.POSITIVE_INFINITY
  return MAX_LOG_SPARSE_128[parameters.logN] ?? 0
}

const sumLog2 = (primes: readonly number[]): number => primes.reduce((sum, p) => sum + Math.log2(p), 0)

/** log2 of the modulus that the ephemeral secret sees: the base primes and the leading special primes it uses. */
export function ephemeralLogQP(parameters: AnyParameters): number {
  return parameters.logQAt(0) + sumLog2(parameters.p.slice(0, ephemeralSpecials(parameters)))
}

/** How many of the leading special primes the switch to the ephemeral secret uses; at least one. */
export function ephemeralSpecials(parameters: AnyParameters): number {
  const base = parameters.logQAt(0)
  const limit = sparseLimit(parameters)
  let count = 1
  while (count < parameters.p.length) {
    const have = sumLog2(parameters.p.slice(0, count))
    if (have >= base - TOLERATED_SHORTFALL || base + have + Math.log2(parameters.p[count]!) > limit) break
    count++
  }
  return count
}

/**
 * How many of the leading special primes the short switches back use: a raised ciphertext is no larger than the base modulus, so as many
 * as that has primes.
 */
export function raisingSpecials(parameters: AnyParameters): number {
  return Math.min(parameters.limbsAt(0), parameters.p.length)
}

/**
 * Throws unless the ephemeral secret is 128-bit secure under these parameters.
 * @throws SecurityError naming the excess
 */
export function assertEphemeralSecure(parameters: AnyParameters): void {
  const limit = sparseLimit(parameters)
  const logQP = ephemeralLogQP(parameters)
  if (logQP <= limit) return
  throw new SecurityError(
    limit === 0
      ? `bootstrapping: a ring of degree 2^${parameters.logN} has no room for it at 128-bit security: use logN 15 or 16`
      : `bootstrapping: the ephemeral secret would see a modulus of ${logQP.toFixed(1)} bits, but a secret of ${EPHEMERAL_WEIGHT} non-zero coefficients is 128-bit secure only up to ${limit} bits at logN ${parameters.logN}: use a smaller base modulus (now ${parameters.logQAt(0).toFixed(1)} bits) or a smaller first special prime`,
  )
}
