/**
 * Number-theoretic primes: p = 1 mod 2N, below 2^48 so that the fast kernels apply (docs/notes/native-engine.md).
 * They are found from literals at run time, deterministically, so that a literal means the same primes everywhere.
 */
import { InvalidArgumentError } from '../errors/errors.ts'

/** Exclusive upper bound of every prime: 2^48. */
export const PRIME_LIMIT = 2 ** 48

const WITNESSES = [2n, 3n, 5n, 7n, 11n, 13n, 17n, 19n, 23n, 29n, 31n, 37n]

function powMod(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n
  let b = base % modulus
  for (let e = exponent; e > 0n; e >>= 1n) {
    if (e & 1n) result = (result * b) % modulus
    b = (b * b) % modulus
  }
  return result
}

/** Whether n (a safe integer) is prime: deterministic Miller-Rabin, exact below 3.3e24 with these witnesses. */
export function isPrime(n: number): boolean {
  if (!Number.isSafeInteger(n) || n < 2) return false
  for (const w of WITNESSES) {
    const small = Number(w)
    if (n === small) return true
    if (n % small === 0) return false
  }
  const big = BigInt(n)
  let d = big - 1n
  let s = 0
  while ((d & 1n) === 0n) {
    d >>= 1n
    s++
  }
  for (const w of WITNESSES) {
    let x = powMod(w, d, big)
    if (x === 1n || x === big - 1n) continue
    let composite = true
    for (let i = 1; i < s && composite; i++) {
      x = (x * x) % big
      if (x === big - 1n) composite = false
    }
    if (composite) return false
  }
  return true
}

/**
 * The unused prime p = 1 mod 2N nearest to `target` (ties: the smaller), below 2^48 and above 2N.
 *
 * @param used primes that are taken already
 * @throws InvalidArgumentError when there is none within a factor of two of the target, and for targets beyond 2^48
 */
export function nearestPrime(target: number, logN: number, used: ReadonlySet<number>): number {
  if (!(target <= PRIME_LIMIT))
    throw new InvalidArgumentError(`a prime of ${Math.log2(target).toFixed(2)} bits: primes have less than 48`)
  const step = 2 ** (logN + 1)
  const centre = Math.round((target - 1) / step)
  for (let distance = 0; distance <= centre; distance++) {
    for (const k of distance === 0 ? [centre] : [centre - distance, centre + distance]) {
      const candidate = k * step + 1
      if (candidate <= step || candidate < target / 2 || candidate > target * 2 || candidate >= PRIME_LIMIT) continue
      if (!used.has(candidate) && isPrime(candidate)) return candidate
    }
    if (distance * step > target) break
  }
  throw new InvalidArgumentError(
    `no unused prime = 1 mod 2^${logN + 1} near ${target.toExponential(3)}: ask for larger primes or fewer of them`,
  )
}
