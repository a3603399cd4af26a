import { type AnyParameters, type ParametersRequest, UnsupportedError } from '@he-ml/ckks-core'
import type { SealSpec } from './backend/backend.ts'

/**
 * A request whose parameters SEAL can use: one prime per level, one special prime, one digit per limb.
 *
 * SEAL's digits are not centred, so a rotation's error is q / P times a noise that is largest in the first slots: the special
 * prime P should be some bits longer than every other prime, or rotations lose precision.
 *
 * @param of logN (10 to 15), levels, scaleBits (15 to 44), baseBits (default scaleBits + 7, at most 44), specialBits (default
 *   baseBits + 8, at most 47)
 * @example
 * ```ts
 * import { createParameters } from '@he-ml/ckks-core'
 * import { sealParameters } from '@he-ml/ckks-seal'
 * const parameters = createParameters(sealParameters({ logN: 13, levels: 3, scaleBits: 36 }))
 * console.log(parameters.maxLevel, parameters.p.length, parameters.digitLimbs)
 * ```
 */
export function sealParameters(of: {
  readonly logN: number
  readonly levels: number
  readonly scaleBits: number
  readonly baseBits?: number
  readonly specialBits?: number
}): ParametersRequest {
  const baseBits = of.baseBits ?? Math.min(44, of.scaleBits + 7)
  const specialBits = of.specialBits ?? Math.min(47, baseBits + 8)
  return { ...of, baseBits, specialBits, specialPrimes: 1, dnum: of.levels + 1 }
}

/** The parameters as SEAL takes them. @throws UnsupportedError saying what to choose */
export function sealSpec(parameters: AnyParameters): SealSpec {
  const advice = 'make the parameters with sealParameters(), or use the native engine'
  for (const [level, group] of parameters.q.entries())
    if (group.length !== 1)
      throw new UnsupportedError(`SEAL needs one prime per level, level ${level} has ${group.length}: ${advice}`)
  if (parameters.p.length !== 1)
    throw new UnsupportedError(`SEAL needs exactly one special prime, got ${parameters.p.length}: ${advice}`)
  if (parameters.digitLimbs !== 1)
    throw new UnsupportedError(
      `SEAL switches keys limb by limb (digitLimbs 1), got ${parameters.digitLimbs}: ${advice}`,
    )
  if (parameters.logN > 15)
    throw new UnsupportedError(`SEAL goes up to N = 2^15, got 2^${parameters.logN}: use the native engine`)
  return {
    ringDegree: parameters.ringDegree,
    primes: [...parameters.qLimbs, ...parameters.p],
    security: parameters.security,
  }
}

/** SEAL's generator of the slot order. */
const SEAL_GENERATOR = 3

/** Exponent of SEAL's left rotation by `steps`: 3^steps mod 2N. */
export function sealGaloisElement(steps: number, logN: number): number {
  const modulus = 2 ** (logN + 1)
  let result = 1
  let base = SEAL_GENERATOR
  for (let e = steps; e > 0; e = Math.floor(e / 2)) {
    if (e % 2 === 1) result = (result * base) % modulus
    base = (base * base) % modulus
  }
  return result
}
