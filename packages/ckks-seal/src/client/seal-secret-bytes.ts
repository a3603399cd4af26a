/**
 * What a saved SEAL secret is, from its bytes alone. SEAL keeps it in evaluation form; brought back to coefficients by any
 * primitive 2N-th root (another root permutes them and changes signs), each must be -1, 0 or 1 and 2N/3 of them not 0. SEAL
 * gives keys no name, so the name is made of the key: a one-way hash, the same whenever the key is imported.
 */
import { FormatError, sha256, toHex } from '@he-ml/ckks-core'
import { powMod } from '../exact-plaintexts.ts'

/** Standard deviations by which the weight of a secret may miss; a uniform ternary one does with probability 2^-49. */
const DEVIATIONS = 8
const DOMAIN = new TextEncoder().encode('he-ml: name of a secret key of SEAL\n')

/** 32 hex digits that tell nothing about the key. */
export function secretKeyName(saved: Uint8Array): string {
  const input = new Uint8Array(DOMAIN.length + saved.length)
  input.set(DOMAIN)
  input.set(saved, DOMAIN.length)
  const digest = sha256(input)
  input.fill(0)
  return toHex(digest.subarray(0, 16))
}

/**
 * @param saved a secret key whose frame was checked; residues of every prime at its end
 * @param primes ciphertext primes, then the special one
 * @throws FormatError unless the secret is ternary with 2N/3 coefficients that are not 0, within 8 standard deviations
 */
export function assertUniformTernary(saved: Uint8Array, ringDegree: number, primes: readonly number[]): void {
  const view = new DataView(saved.buffer, saved.byteOffset + saved.length - primes.length * ringDegree * 8)
  const residues = BigUint64Array.from({ length: ringDegree }, (_, i) => view.getBigUint64(8 * i, true))
  const prime = BigInt(primes[0]!)
  try {
    inverseTransform(residues, prime)
    let weight = 0
    for (const x of residues) {
      if (x > 1n && x !== prime - 1n)
        throw new FormatError('secret key: a coefficient is not -1, 0 or 1: not a key of this client')
      if (x !== 0n) weight++
    }
    const wanted = (2 * ringDegree) / 3
    const most = DEVIATIONS * Math.sqrt((2 * ringDegree) / 9)
    if (Math.abs(weight - wanted) > most)
      throw new FormatError(
        `secret key: expected ${Math.round(wanted)} coefficients that are not 0, within ${Math.round(most)}, got ${weight}: no uniform ternary secret, so not as secure as its parameters; make a new key`,
      )
  } finally {
    residues.fill(0n)
  }
}

/** Negacyclic inverse transform in place, but for the order and signs that the choice of root makes; bit-reversed input. */
function inverseTransform(a: BigUint64Array, p: bigint): void {
  const n = a.length
  const inverse = powMod(primitiveRoot(2 * n, p), 2n * BigInt(n) - 1n, p)
  const powers = new BigUint64Array(n)
  for (let i = 0, power = 1n; i < n; i++, power = (power * inverse) % p) powers[i] = power
  const bits = Math.log2(n)
  for (let half = n / 2, t = 1; half >= 1; half /= 2, t *= 2)
    for (let i = 0; i < half; i++) {
      const factor = powers[reversed(half + i, bits)]!
      for (let j = 2 * i * t; j < (2 * i + 1) * t; j++) {
        const [u, v] = [a[j]!, a[j + t]!]
        const sum = u + v
        a[j] = sum >= p ? sum - p : sum
        a[j + t] = ((u + p - v) * factor) % p
      }
    }
  const scale = powMod(BigInt(n), p - 2n, p)
  for (let i = 0; i < n; i++) a[i] = (a[i]! * scale) % p
}

function primitiveRoot(order: number, p: bigint): bigint {
  for (let x = 2n; ; x++) {
    const root = powMod(x, (p - 1n) / BigInt(order), p)
    if (powMod(root, BigInt(order / 2), p) === p - 1n) return root
  }
}

function reversed(index: number, bits: number): number {
  let result = 0
  for (let b = 0; b < bits; b++) if (index & (1 << b)) result |= 1 << (bits - 1 - b)
  return result
}
