/**
 * Plaintexts that SEAL's own encoder cannot make: exact constants, and complex values (it only takes real ones in
 * JavaScript). They are written as residues into a saved plaintext and loaded again, so SEAL checks them.
 *
 * SEAL's slots lie at zeta^(3^k), whose exponents are 1 or 3 modulo 8. There u = X^(N/4) + X^(3N/4) is i sqrt(2) in every
 * slot: a small exact polynomial. So re + i im is encode(re) + u * encode(im / sqrt 2). Modulo a prime u is +-sqrt(-2), the
 * sign given by the exponent's class modulo 8; that needs SEAL's root of unity, the smallest primitive 2N-th one.
 */
import type { SealContext, SealPlaintext } from './backend/backend.ts'
import { scope } from './backend/scope.ts'
import { plaintextResidues } from './seal-bytes.ts'

/** base^exponent modulo a prime. */
export function powMod(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n
  let b = base % modulus
  for (let e = exponent; e > 0n; e >>= 1n) {
    if (e & 1n) result = (result * b) % modulus
    b = (b * b) % modulus
  }
  return result
}

/** The smallest primitive root of unity of order `order` (a power of two) modulo a prime. */
export function minimalRoot(order: number, prime: bigint): bigint {
  let root = 0n
  for (let x = 2n; ; x++) {
    root = powMod(x, (prime - 1n) / BigInt(order), prime)
    if (powMod(root, BigInt(order / 2), prime) === prime - 1n) break
  }
  const square = (root * root) % prime
  let least = root
  for (let i = 1, r = root; i < order / 2; i++) {
    r = (r * square) % prime
    if (r < least) least = r
  }
  return least
}

const modulo = (x: bigint, p: bigint): bigint => ((x % p) + p) % p

/** See the head of the file. */
export class ExactPlaintexts {
  readonly #context: SealContext
  readonly #ringDegree: number
  readonly #primes: readonly bigint[]
  readonly #imaginary: (bigint | undefined)[] = []
  readonly #templates: (Uint8Array | undefined)[] = []

  /** @param primes of the ciphertext, one per level */
  constructor(context: SealContext, ringDegree: number, primes: readonly number[]) {
    this.#context = context
    this.#ringDegree = ringDegree
    this.#primes = primes.map(BigInt)
  }

  /** re + u * imaginary, integers. */
  constant(re: bigint, imaginary: bigint, level: number): SealPlaintext {
    return this.#write(level, (residues) => {
      for (let limb = 0; limb <= level; limb++) {
        const p = this.#primes[limb]!
        const odd = imaginary === 0n ? 0n : imaginary * this.#root(limb)
        const plus = modulo(re + odd, p)
        const minus = modulo(re - odd, p)
        this.#eachQuarter(limb, (start, end, positive) => residues.fill(positive ? plus : minus, start, end))
      }
    })
  }

  /** a + u b for two plaintexts of the same level and scale, given as saved bytes. */
  combine(a: Uint8Array, b: Uint8Array, level: number): SealPlaintext {
    const count = this.#ringDegree * (level + 1)
    const first = plaintextResidues(a, count)
    const second = plaintextResidues(b, count)
    return this.#write(level, (residues) => {
      for (let limb = 0; limb <= level; limb++) {
        const p = this.#primes[limb]!
        const root = this.#root(limb)
        this.#eachQuarter(limb, (start, end, positive) => {
          const factor = positive ? root : p - root
          for (let i = start; i < end; i++) residues[i] = (first[i]! + second[i]! * factor) % p
        })
      }
    })
  }

  /** u times a saved plaintext. */
  timesU(a: Uint8Array, level: number): SealPlaintext {
    return this.combine(new Uint8Array(a.length), a, level)
  }

  #write(level: number, fill: (residues: BigUint64Array) => void): SealPlaintext {
    const bytes = this.#template(level).slice()
    fill(plaintextResidues(bytes, this.#ringDegree * (level + 1)))
    return this.#context.loadPlaintext(bytes)
  }

  #template(level: number): Uint8Array {
    const known = this.#templates[level]
    if (known) return known
    const plain = this.#context.encode(new Float64Array(this.#ringDegree / 2), 1, level)
    const bytes = scope((own) => this.#context.savePlaintext(own(plain)))
    this.#templates[level] = bytes
    return bytes
  }

  /** u at exponents 1 and 3 modulo 8. */
  #root(limb: number): bigint {
    const known = this.#imaginary[limb]
    if (known !== undefined) return known
    const p = this.#primes[limb]!
    const eighth = powMod(minimalRoot(2 * this.#ringDegree, p), BigInt(this.#ringDegree / 4), p)
    const value = (eighth + eighth ** 3n) % p
    this.#imaginary[limb] = value
    return value
  }

  /** Position j holds exponent 2 bitrev(j) + 1, so the second highest bit of j decides the class modulo 8. */
  #eachQuarter(limb: number, use: (start: number, end: number, positive: boolean) => void): void {
    const quarter = this.#ringDegree / 4
    for (let k = 0; k < 4; k++) {
      const start = limb * this.#ringDegree + k * quarter
      use(start, start + quarter, k % 2 === 0)
    }
  }
}
