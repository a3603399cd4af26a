/**
 * From what a user knows (ring, levels, precision) to explicit primes. The prime of each level is the one nearest to
 * scaleAt(level)^2 / 2^scaleBits, so the nominal scale never drifts by more than one prime gap.
 */
import { InvalidArgumentError } from '../errors/errors.ts'
import { InsecureParameters, Parameters, type ParametersLiteral } from './parameters.ts'
import { nearestPrime, PRIME_LIMIT } from './primes.ts'

/** A parameter set described by sizes. */
export interface ParametersRequest {
  /** log2 of the ring degree, 10 to 17. */
  readonly logN: number
  /** Rescalings wanted (maxLevel). */
  readonly levels: number
  /** Bits of the nominal scale; above 47, each level takes two primes. */
  readonly scaleBits: number
  /** Bits of the base modulus: scaleBits plus the headroom for the largest value. Default scaleBits + 7, at most 94. */
  readonly baseBits?: number
  /** Key-switching digits (dnum). Default 3, or one per limb when there are fewer limbs. */
  readonly dnum?: number
  /** Number of special primes. Default: as many 47-bit (or smaller) primes as a digit needs. */
  readonly specialPrimes?: number
  /** Bits per special prime. Default: the fewest that cover the largest digit. */
  readonly specialBits?: number
}

const MAX_BITS = 47

/** Products of two primes this close (relatively) to the target are good enough. */
const PAIR_TOLERANCE = 2 ** -12

/**
 * Two unused primes whose product is near `target`. Primes of half the size are sparse in a large ring, so pairs of more
 * and more unequal sizes are tried until the product is close.
 */
function nearestPair(target: number, logN: number, used: ReadonlySet<number>): number[] {
  let best: number[] = []
  let bestError = Number.POSITIVE_INFINITY
  for (let eighths = 0; eighths <= 12 && bestError > PAIR_TOLERANCE; eighths++) {
    const large = Math.sqrt(target) * 2 ** (eighths / 8)
    if (large >= PRIME_LIMIT) break
    const first = nearestPrime(large, logN, used)
    const second = nearestPrime(target / first, logN, new Set([...used, first]))
    const error = Math.abs((first * second) / target - 1)
    if (error >= bestError) continue
    bestError = error
    best = [first, second]
  }
  return best
}

/** One unused prime near `target`, or two whose product is near it when it has more than 47 bits. */
export function findPrimeGroup(target: number, logN: number, used: ReadonlySet<number>): number[] {
  return Math.log2(target) <= MAX_BITS + 0.99 ? [nearestPrime(target, logN, used)] : nearestPair(target, logN, used)
}

/** The explicit literal a request stands for; deterministic. */
export function resolveParameters(request: ParametersRequest): ParametersLiteral {
  const { logN, levels, scaleBits } = request
  if (!Number.isInteger(levels) || levels < 0 || levels > 100)
    throw new InvalidArgumentError(`levels must be from 0 to 100, got ${levels}`)
  if (!(scaleBits >= 15 && scaleBits <= 2 * MAX_BITS))
    throw new InvalidArgumentError(`scaleBits must be from 15 to 94, got ${scaleBits}`)
  const baseBits = request.baseBits ?? Math.min(scaleBits + 7, 2 * MAX_BITS)
  if (baseBits < scaleBits)
    throw new InvalidArgumentError(`baseBits (${baseBits}) must not be below scaleBits (${scaleBits})`)
  const used = new Set<number>()
  const take = (target: number): number => {
    const prime = nearestPrime(target, logN, used)
    used.add(prime)
    return prime
  }
  const group = (target: number): number[] => {
    const primes = findPrimeGroup(target, logN, used)
    for (const prime of primes) used.add(prime)
    return primes
  }
  const nominal = 2 ** scaleBits
  const q: number[][] = new Array(levels + 1)
  q[0] = group(2 ** baseBits)
  let scale = nominal
  for (let level = levels; level > 0; level--) {
    q[level] = group(scale ** 2 / nominal)
    scale = scale ** 2 / q[level]!.reduce((a, b) => a * b, 1)
  }
  const limbs = q.flat()
  const digitLimbs = Math.ceil(limbs.length / (request.dnum ?? Math.min(3, limbs.length)))
  let digitBits = 0
  for (let i = 0; i < limbs.length; i += digitLimbs)
    digitBits = Math.max(
      digitBits,
      limbs.slice(i, i + digitLimbs).reduce((a, b) => a + Math.log2(b), 0),
    )
  const count = request.specialPrimes ?? Math.ceil(digitBits / MAX_BITS)
  const bits = request.specialBits ?? Math.min(MAX_BITS, Math.max(logN + 3, Math.ceil((digitBits / count) * 8) / 8))
  const p = Array.from({ length: count }, () => take(2 ** bits))
  return { logN, q, p, digitLimbs, scale: nominal }
}

const isLiteral = (x: ParametersLiteral | ParametersRequest): x is ParametersLiteral => 'q' in x

/**
 * Makes checked parameters from a literal with explicit primes or from sizes.
 *
 * @throws SecurityError when log2(QP) exceeds the 128-bit limit of the ring
 * @throws InvalidArgumentError for anything malformed
 * @example
 * ```ts
 * import { createParameters } from '@he-ml/ckks-core'
 * const parameters = createParameters({ logN: 14, levels: 7, scaleBits: 36 })
 * console.log(parameters.maxLevel, parameters.securityMargin > 0)
 * ```
 */
export function createParameters(from: ParametersLiteral | ParametersRequest): Parameters {
  return new Parameters(isLiteral(from) ? from : resolveParameters(from))
}

/**
 * Test-only parameters, of a type of their own, without the security check. Engines run on them; clients and files, whose keys
 * and ciphertexts somebody might keep, refuse them.
 */
export function insecureParameters(from: ParametersLiteral | ParametersRequest): InsecureParameters {
  return new InsecureParameters(isLiteral(from) ? from : resolveParameters(from))
}

/**
 * The same for tests of clients and files: the only way to keys and ciphertexts that are not secure. Their files carry the
 * mark `insecure`, and readers without these parameters refuse them.
 */
export function insecureParametersWithFiles(from: ParametersLiteral | ParametersRequest): InsecureParameters {
  return new InsecureParameters(isLiteral(from) ? from : resolveParameters(from), true)
}
