/**
 * Parameters are made once from a literal, checked, and never change. Every level but the lowest is a group of one or two
 * primes; rescaling from level l divides by group l. Scales are a function of the level: scaleAt(l - 1) = scaleAt(l)^2 /
 * group(l), and the primes are chosen so that they stay near the nominal scale (reduced-error CKKS, ePrint 2020/1118).
 * Two classes, one shape: `Parameters` passed the 128-bit check, `InsecureParameters` is for tests and says so by its type.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { InvalidArgumentError, LevelError } from '../errors/errors.ts'
import { isPrime, PRIME_LIMIT } from './primes.ts'
import type { Level } from './quantities.ts'
import { assertSecure, maxLogQP } from './security.ts'

/** Everything that defines a parameter set, as plain JSON. All primes are below 2^48 and thus exact as numbers. */
export interface ParametersLiteral {
  /** log2 of the ring degree N, 10 to 17. */
  readonly logN: number
  /** Prime groups by level; `q[0]` is the base that is never divided away; each of one or two primes. */
  readonly q: readonly (readonly number[])[]
  /** Special primes, used only inside key switching. */
  readonly p: readonly number[]
  /** Ciphertext limbs per key-switching digit (alpha); dnum = ceil(limbs / digitLimbs). */
  readonly digitLimbs: number
  /** Scale of fresh ciphertexts at the top level. */
  readonly scale: number
}

abstract class ParametersBase {
  /** log2 of the ring degree, 10 to 17. */
  readonly logN: number
  /** N, the degree of the ring. */
  readonly ringDegree: number
  /** N/2 complex slots. */
  readonly maxSlots: number
  /** Prime groups by level; `q[0]` is the base that is never divided away. */
  readonly q: readonly (readonly number[])[]
  /** Special primes, used only inside key switching. */
  readonly p: readonly number[]
  /** Ciphertext limbs per key-switching digit. */
  readonly digitLimbs: number
  /** Scale of fresh ciphertexts at the top level. */
  readonly scale: number
  /** Rescalings available to a fresh ciphertext. */
  readonly maxLevel: Level
  /** All ciphertext primes in limb order. */
  readonly qLimbs: readonly number[]
  /** log2 of the product of all ciphertext primes. */
  readonly logQ: number
  /** log2 of the product of the special primes. */
  readonly logP: number
  /** log2 of the product of all primes: what security depends on, with logN. */
  readonly logQP: number
  /** First 16 bytes of the SHA-256 of the canonical literal, hex. Carried by every key and ciphertext. */
  readonly id: string
  readonly #limbsAt: readonly number[]
  readonly #scaleAt: readonly number[]
  readonly #groupProduct: readonly number[]
  readonly #logQAt: readonly number[]

  constructor(literal: ParametersLiteral) {
    const { logN, q, p, digitLimbs, scale } = literal
    maxLogQP(logN)
    this.logN = logN
    this.ringDegree = 2 ** logN
    this.maxSlots = this.ringDegree / 2
    if (!Array.isArray(q) || q.length === 0)
      throw new InvalidArgumentError('q must hold at least the base group of primes')
    this.q = Object.freeze(q.map((group) => Object.freeze([...group])))
    this.p = Object.freeze([...p])
    this.digitLimbs = digitLimbs
    this.scale = scale
    this.qLimbs = Object.freeze(this.q.flat())
    this.maxLevel = this.q.length - 1
    const all = [...this.qLimbs, ...this.p]
    for (const group of this.q) {
      if (group.length < 1 || group.length > 2) throw new InvalidArgumentError('every level holds one or two primes')
    }
    if (new Set(all).size !== all.length) throw new InvalidArgumentError('all primes must differ')
    for (const prime of all) {
      if (!(prime < PRIME_LIMIT) || (prime - 1) % (2 * this.ringDegree) !== 0 || !isPrime(prime))
        throw new InvalidArgumentError(
          `${prime} is not a prime below 2^48 that is 1 modulo 2N = ${2 * this.ringDegree}`,
        )
    }
    if (this.p.length === 0) throw new InvalidArgumentError('at least one special prime is needed for key switching')
    if (!Number.isInteger(digitLimbs) || digitLimbs < 1 || digitLimbs > this.qLimbs.length)
      throw new InvalidArgumentError(`digitLimbs must be from 1 to ${this.qLimbs.length}, got ${digitLimbs}`)
    if (!(scale >= 2 ** 10 && scale <= 2 ** 94))
      throw new InvalidArgumentError(`scale must be from 2^10 to 2^94, got ${scale}`)
    this.logQ = sumLog2(this.qLimbs)
    this.logP = sumLog2(this.p)
    this.logQP = this.logQ + this.logP
    for (let i = 0; i < this.qLimbs.length; i += digitLimbs) {
      const digit = sumLog2(this.qLimbs.slice(i, i + digitLimbs))
      if (digit > this.logP + 1)
        throw new InvalidArgumentError(
          `digit ${i / digitLimbs} has ${digit.toFixed(1)} bits but the special primes only ${this.logP.toFixed(1)}: use more or larger special primes, or smaller digits`,
        )
    }
    const limbsAt: number[] = []
    let limbs = 0
    for (const group of this.q) {
      limbs += group.length
      limbsAt.push(limbs)
    }
    this.#limbsAt = limbsAt
    const scales = new Array<number>(this.q.length)
    scales[this.maxLevel] = scale
    this.#groupProduct = this.q.map(product)
    this.#logQAt = limbsAt.map((count) => sumLog2(this.qLimbs.slice(0, count)))
    for (let l = this.maxLevel; l > 0; l--) scales[l - 1] = scales[l]! ** 2 / this.#groupProduct[l]!
    this.#scaleAt = scales
    this.id = bytesToHex(sha256(utf8ToBytes(JSON.stringify(this.toJSON()))).slice(0, 16))
  }

  /** Number of limbs of a ciphertext at `level`. @throws LevelError outside 0..maxLevel */
  limbsAt(level: Level): number {
    return this.#limbsAt[this.#checked(level)]!
  }
  /** Nominal scale at `level`: what circuits return to after every rescale. */
  scaleAt(level: Level): number {
    return this.#scaleAt[this.#checked(level)]!
  }
  /** Product of the primes that rescaling from `level` divides by (for level 0: the base). */
  groupProduct(level: Level): number {
    return this.#groupProduct[this.#checked(level)]!
  }
  /** log2 of the ciphertext modulus at `level`. */
  logQAt(level: Level): number {
    return this.#logQAt[this.#checked(level)]!
  }
  /** Key-switching digits of a ciphertext at `level`. */
  digitsAt(level: Level): number {
    return Math.ceil(this.limbsAt(level) / this.digitLimbs)
  }
  /** Bits left below the 128-bit limit; negative only for insecure parameters. */
  get securityMargin(): number {
    return maxLogQP(this.logN) - this.logQP
  }
  /** The literal again. */
  toJSON(): ParametersLiteral {
    return { logN: this.logN, q: this.q, p: this.p, digitLimbs: this.digitLimbs, scale: this.scale }
  }
  #checked(level: Level): Level {
    if (!Number.isInteger(level) || level < 0 || level > this.maxLevel)
      throw new LevelError(`level must be from 0 to ${this.maxLevel}, got ${level}`)
    return level
  }
}

/** A parameter set that passed the 128-bit check (special primes included). */
export class Parameters extends ParametersBase {
  /** Bits of security that the check guarantees. */
  readonly security = 128
  /** @throws SecurityError above the table's limit; InvalidArgumentError for anything malformed */
  constructor(literal: ParametersLiteral) {
    super(literal)
    assertSecure(this.logN, this.logQP, 'parameters')
  }
}

/**
 * Parameters for tests only: no security check. Published paths (files, plans, the command line) refuse this type; files take
 * it only when `insecureParametersWithFiles` made it.
 */
export class InsecureParameters extends ParametersBase {
  /** No security is promised. */
  readonly security = 0
  /** Whether files under these parameters may be written and read. */
  readonly insecureFiles: boolean
  /** @internal use `insecureParameters` or `insecureParametersWithFiles` */
  constructor(literal: ParametersLiteral, insecureFiles = false) {
    super(literal)
    this.insecureFiles = insecureFiles
  }
}

/** What engines run on. */
export type AnyParameters = Parameters | InsecureParameters

/** Narrowing helper: whether the parameters passed the 128-bit check. */
export function isSecure(parameters: AnyParameters): parameters is Parameters {
  return parameters.security === 128
}

function product(values: readonly number[]): number {
  return values.reduce((a, b) => a * b, 1)
}

function sumLog2(values: readonly number[]): number {
  return values.reduce((a, b) => a + Math.log2(b), 0)
}
