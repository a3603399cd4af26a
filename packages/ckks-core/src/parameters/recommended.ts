/**
 * Named parameter sets for leveled computations, and a search for the smallest set that a depth fits into. All stay 3 %
 * below the 128-bit table, so that a later tightening of the estimates does not invalidate them. Names are ring and levels;
 * a name's primes, and thus its id, never change: keys and ciphertexts carry it.
 */
import { InvalidArgumentError, PlanError } from '../errors/errors.ts'
import { createParameters, type ParametersRequest, resolveParameters } from './create-parameters.ts'
import { InsecureParameters, type Parameters } from './parameters.ts'
import { maxLogQP, RECOMMENDED_MARGIN } from './security.ts'

/**
 * The recommended sets. More levels leave fewer bits to each: within a ring, take the fewest levels that suffice.
 *
 * | names | for |
 * |---|---|
 * | N12, N13 | one to five products, small messages, no or few rotations |
 * | N14 | square activations, batch networks |
 * | N15 | low-degree activations, ten to sixteen levels |
 * | N16 | polynomial ReLU networks without bootstrapping |
 */
export const RECOMMENDED = Object.freeze({
  'N12-L1': { logN: 12, levels: 1, scaleBits: 28, baseBits: 36, dnum: 2 },
  'N12-L2': { logN: 12, levels: 2, scaleBits: 22, baseBits: 28, dnum: 3 },
  'N13-L3': { logN: 13, levels: 3, scaleBits: 36, baseBits: 44, dnum: 4 },
  'N13-L4': { logN: 13, levels: 4, scaleBits: 30, baseBits: 38, dnum: 5 },
  'N13-L5': { logN: 13, levels: 5, scaleBits: 26, baseBits: 33, dnum: 6 },
  'N14-L6': { logN: 14, levels: 6, scaleBits: 40, baseBits: 47, dnum: 4 },
  'N14-L8': { logN: 14, levels: 8, scaleBits: 36, baseBits: 43, dnum: 5 },
  'N14-L9': { logN: 14, levels: 9, scaleBits: 33, baseBits: 40, dnum: 5 },
  'N15-L10': { logN: 15, levels: 10, scaleBits: 46, baseBits: 56, dnum: 3 },
  'N15-L13': { logN: 15, levels: 13, scaleBits: 42, baseBits: 50, dnum: 4 },
  'N15-L16': { logN: 15, levels: 16, scaleBits: 40, baseBits: 47, dnum: 6 },
  'N16-L20': { logN: 16, levels: 20, scaleBits: 46, baseBits: 56, dnum: 3 },
  'N16-L24': { logN: 16, levels: 24, scaleBits: 42, baseBits: 47, dnum: 3 },
  'N16-L28': { logN: 16, levels: 28, scaleBits: 42, baseBits: 50, dnum: 3 },
  'N16-L32': { logN: 16, levels: 32, scaleBits: 40, baseBits: 47, dnum: 5 },
} as const satisfies Record<string, ParametersRequest>)

/** Name of a recommended set: `N<log2 of the ring degree>-L<levels>`. */
export type RecommendedName = keyof typeof RECOMMENDED

const made = new Map<string, Parameters>()

/**
 * A recommended set by name; made once.
 *
 * @throws InvalidArgumentError for an unknown name, listing the known ones
 * @example
 * ```ts
 * import { recommendedParameters } from '@he-ml/ckks-core'
 * const parameters = recommendedParameters('N14-L6')
 * console.log(parameters.maxLevel, parameters.logQP, parameters.securityMargin)
 * ```
 */
export function recommendedParameters(name: RecommendedName): Parameters {
  const request = RECOMMENDED[name]
  if (request === undefined)
    throw new InvalidArgumentError(
      `no recommended set is called "${name}"; known: ${Object.keys(RECOMMENDED).join(', ')}`,
    )
  let parameters = made.get(name)
  if (!parameters) {
    parameters = createParameters(request)
    made.set(name, parameters)
  }
  return parameters
}

/** What a computation needs of its parameters. */
export interface DepthRequest {
  /** Levels the computation consumes. */
  readonly depth: number
  /** Bits of the nominal scale, 15 to 94. */
  readonly scaleBits: number
  /** Bits of the base modulus. Default scaleBits + 7. */
  readonly baseBits?: number
  /** Key-switching digits. Default: 3, or as many more as it takes to fit. */
  readonly dnum?: number
  /** log2 of the ring degree. Default: the smallest from 12 to 16 that fits. */
  readonly logN?: number
  /** Slots needed, so at least twice as large a ring. */
  readonly slots?: number
}

const SMALLEST_LOG_N = 12
const LARGEST_LOG_N = 16

/** log2(QP) that the recommended margin leaves of the 128-bit limit. */
export const recommendedLogQP = (logN: number): number => maxLogQP(logN) * (1 - RECOMMENDED_MARGIN)

/**
 * The smallest secure set for a depth: smallest ring first, then fewest digits (from 3 on). Stays 3 % below the table.
 *
 * @throws PlanError ('security') naming the bits that are missing and what to change
 * @throws InvalidArgumentError for a depth or scale out of range
 * @example
 * ```ts
 * import { parametersForDepth } from '@he-ml/ckks-core'
 * const parameters = parametersForDepth({ depth: 6, scaleBits: 36 })
 * console.log(parameters.logN, parameters.maxLevel) // 14, 6
 * ```
 */
export function parametersForDepth(request: DepthRequest): Parameters {
  const { depth, scaleBits, slots = 1 } = request
  const smallest = request.logN ?? Math.max(SMALLEST_LOG_N, Math.ceil(Math.log2(slots)) + 1)
  const largest = request.logN ?? LARGEST_LOG_N
  if (slots > 2 ** (largest - 1))
    throw new InvalidArgumentError(`parametersForDepth: ${slots} slots do not fit a ring of degree 2^${largest}`)
  let least = 0
  for (let logN = smallest; logN <= largest; logN++) {
    const found = smallestAt(logN, request)
    if (typeof found !== 'number') return found
    least = found
  }
  const limit = recommendedLogQP(largest)
  const advice = [
    'lower the depth, scaleBits or baseBits',
    ...(request.dnum === undefined ? [] : ['raise dnum']),
    request.logN === undefined ? 'refresh (bootstrap) on the way' : 'raise logN',
  ].join(', or ')
  throw new PlanError(
    'security',
    `no parameters for depth ${depth} at scaleBits ${scaleBits}: log2(QP) would be at least ${least.toFixed(0)}, but 128-bit security (less a margin of 3 %) allows ${limit.toFixed(0)} at logN ${largest}, so ${Math.ceil(least - limit)} bits are missing: ${advice}`,
  )
}

/** The set with the fewest digits in this ring, or the fewest bits that any would take. */
function smallestAt(logN: number, { depth, scaleBits, baseBits = Math.min(scaleBits + 7, 94), dnum }: DepthRequest) {
  const limit = recommendedLogQP(logN)
  // special primes cover a digit, and the smallest digit still holds a prime of the base
  const floor = depth * scaleBits + baseBits + Math.min(baseBits, 47) - 1
  if (floor > limit) return floor
  let least = Number.POSITIVE_INFINITY
  for (const digits of dnum === undefined ? digitCounts(depth) : [dnum]) {
    const literal = resolveParameters({ logN, levels: depth, scaleBits, baseBits, dnum: digits })
    const { logQP } = new InsecureParameters(literal)
    if (logQP <= limit) return createParameters(literal)
    least = Math.min(least, logQP)
  }
  return least
}

/** Three digits are the fastest where they fit; more digits need fewer special primes. */
function digitCounts(depth: number): number[] {
  const counts: number[] = []
  for (let dnum = 3; dnum <= Math.max(3, 2 * (depth + 1)); dnum++) counts.push(dnum)
  return counts
}
