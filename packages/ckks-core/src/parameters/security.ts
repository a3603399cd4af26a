import { InvalidArgumentError, SecurityError } from '../errors/errors.ts'

/**
 * Largest log2 of the whole modulus (ciphertext and special primes together) at which a uniform ternary secret keeps
 * 128-bit classical security. Source: Security Guidelines for Implementing Homomorphic Encryption, ePrint 2024/463, table 5.2;
 * two and six bits less at the two largest rings, where today's attacks would leave 127.99 and 127.87 bits
 * (docs/notes/security-estimates.md, which a change here must follow).
 */
export const MAX_LOG_QP_128: Readonly<Record<number, number>> = Object.freeze({
  10: 26,
  11: 53,
  12: 106,
  13: 214,
  14: 430,
  15: 868,
  16: 1745,
  17: 3517,
})

/** Share of the table that the recommended sets leave unused. */
export const RECOMMENDED_MARGIN = 0.03

/** Largest log2(QP) allowed at 128-bit security for a ring of degree 2^logN, in bits. */
export function maxLogQP(logN: number): number {
  const limit = MAX_LOG_QP_128[logN]
  if (limit === undefined) throw new InvalidArgumentError(`logN must be an integer from 10 to 17, got ${logN}`)
  return limit
}

/**
 * Throws unless a modulus of `logQP` bits is 128-bit secure at 2^logN; the error names the excess and the smallest
 * ring that would do.
 *
 * @param what whose modulus it is, for the message: "parameters", "galois key 5 at level 3"
 * @throws SecurityError
 */
export function assertSecure(logN: number, logQP: number, what: string): void {
  const limit = maxLogQP(logN)
  if (logQP <= limit) return
  const enough = Object.entries(MAX_LOG_QP_128).find(([, bits]) => logQP <= bits)?.[0]
  const advice =
    enough === undefined
      ? 'no supported ring is large enough: use fewer or smaller primes'
      : `the smallest logN that would do is ${enough}`
  throw new SecurityError(
    `${what}: log2(QP) = ${logQP.toFixed(1)} exceeds the 128-bit limit of ${limit} at logN ${logN} by ${(logQP - limit).toFixed(1)} bits; ${advice}`,
  )
}
