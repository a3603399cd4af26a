/**
 * How large the errors of CKKS operations are. Every operation adds a polynomial of rounding or encryption errors whose
 * coefficients are close to independent with variance V; in a slot that is a complex error of root mean square
 * sqrt(N V) / scale (canonical embedding, ePrint 2016/421 section 3). The variances below follow ePrint 2016/421
 * (lemmas 1 to 3) with variances in place of bounds, as in ePrint 2020/1118; docs/notes/noise-model.md derives each.
 */
import { EPHEMERAL_WEIGHT, ephemeralLogQP, raisingSpecials } from '../../parameters/ephemeral.ts'
import type { AnyParameters } from '../../parameters/parameters.ts'

/** Standard deviation of the encryption error's coefficients. */
export const ERROR_STANDARD_DEVIATION = 3.2

/** Variance of a coefficient of the uniform ternary secret. */
const SECRET_VARIANCE = 2 / 3

/** Variance of rounding to integers. */
const ROUNDING_VARIANCE = 1 / 12

/**
 * Root mean squares of slot errors by operation, **before** division by the scale: divide by the scale of the ciphertext
 * they are added to.
 */
export class NoiseModel {
  readonly #degree: number
  readonly #keySwitch: readonly number[]
  readonly #parameters: AnyParameters

  constructor(parameters: AnyParameters) {
    this.#parameters = parameters
    this.#degree = parameters.ringDegree
    this.#keySwitch = parameters.q.map((_, level) => this.#slots(this.#keySwitchVariance(level)))
  }

  /** Rounding of an encoded vector of period `slots`: only 2 * slots coefficients are not zero. */
  encoding(slots: number): number {
    return Math.sqrt(2 * slots * ROUNDING_VARIANCE)
  }

  /** A fresh ciphertext, its encoding included: v e + e0 + e1 s with a public key, e alone with the secret key. */
  fresh(by: 'publicKey' | 'secretKey' = 'publicKey'): number {
    const products = by === 'publicKey' ? 2 * this.#degree * SECRET_VARIANCE : 0
    return this.#slots(ERROR_STANDARD_DEVIATION ** 2 * (1 + products) + ROUNDING_VARIANCE)
  }

  /** Rounding of both (or all three) polynomials by rescaling: tau0 + tau1 s + tau2 s^2. */
  rescale(degree: 1 | 2 = 1): number {
    return this.#slots(this.#roundingVariance(degree))
  }

  /** A key switch at `level` (rotation, conjugation, relinearisation), its division by P included. */
  keySwitch(level: number): number {
    return this.#keySwitch[level]!
  }

  /**
   * The switch to the ephemeral secret at level 0: the gadget term of one digit, and a rounding that meets a secret of only
   * {@link EPHEMERAL_WEIGHT} non-zero coefficients.
   */
  encapsulation(): number {
    const excess = ephemeralLogQP(this.#parameters) - 2 * this.#parameters.logQAt(0)
    const gadget = this.#degree * ERROR_STANDARD_DEVIATION ** 2 * 2 ** (-2 * excess) * ROUNDING_VARIANCE
    return this.#slots(gadget + ROUNDING_VARIANCE * (1 + EPHEMERAL_WEIGHT))
  }

  /**
   * A short switch from the ephemeral secret: the gadget term of one digit as large as the base modulus, over the few special primes that
   * it is divided by. The rounding of that division is `rescale`'s.
   */
  raisingSwitch(): number {
    const { p } = this.#parameters
    const excess = p.slice(0, raisingSpecials(this.#parameters)).reduce((sum, prime) => sum + Math.log2(prime), 0)
    const ratio = 2 ** (this.#parameters.logQAt(0) - excess)
    return this.#slots(this.#degree * ERROR_STANDARD_DEVIATION ** 2 * ratio ** 2 * ROUNDING_VARIANCE)
  }

  /**
   * Root mean square, in slots, of the polynomial I that modRaise adds q0 times: its coefficients are close to sums of
   * 1 + {@link EPHEMERAL_WEIGHT} uniform numbers in [-1/2, 1/2].
   */
  raise(): number {
    return this.#slots(ROUNDING_VARIANCE * (1 + EPHEMERAL_WEIGHT))
  }

  #slots(variance: number): number {
    return Math.sqrt(this.#degree * variance)
  }

  #roundingVariance(degree: 1 | 2): number {
    const linear = 1 + this.#degree * SECRET_VARIANCE
    // coefficients of s^2 are sums of N/2 pairs counted twice: variance 2 N Var(s)^2
    const square = degree === 2 ? 2 * this.#degree ** 2 * SECRET_VARIANCE ** 2 : 0
    return ROUNDING_VARIANCE * (linear + square)
  }

  #keySwitchVariance(level: number): number {
    const { qLimbs, digitLimbs, logP } = this.#parameters
    const limbs = this.#parameters.limbsAt(level)
    let digits = 0
    for (let i = 0; i < limbs; i += digitLimbs) {
      const log = qLimbs.slice(i, Math.min(i + digitLimbs, limbs)).reduce((a, q) => a + Math.log2(q), 0)
      // a centred digit is uniform: variance D^2 / 12; times a key error, summed over N coefficients, divided by P
      digits += 2 ** (2 * (log - logP)) * ROUNDING_VARIANCE
    }
    return this.#degree * ERROR_STANDARD_DEVIATION ** 2 * digits + this.#roundingVariance(1)
  }
}
