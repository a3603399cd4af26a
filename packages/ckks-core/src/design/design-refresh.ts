/**
 * Parameter sets for bootstrapping, made for what a network needs: the cheapest secure ring, factors, digits and primes that leave
 * the levels and the precision asked for (docs/notes/refresh-design.md). Every candidate is a real circuit on the plan engine; nothing is a formula.
 */
import type { BootstrappingRequest, BootstrappingSet } from '../circuits/bootstrapping/index.ts'
import { type CostModel, createDefaultCostModel } from '../engines/plan/cost-model.ts'
import { HeMlError, InvalidArgumentError, PlanError } from '../errors/errors.ts'
import { priceRefresh, type RefreshPrice } from './price-refresh.ts'
import { refreshRequests } from './refresh-bits.ts'
import type { RefreshNeed } from './refresh-need.ts'
import { ARCSINES, RINGS, type SetShape, setShapes } from './set-shapes.ts'

/** A set, and why it is this one. */
export interface RefreshDesign {
  /** What its primes follow from. */
  readonly request: BootstrappingRequest
  /** Parameters and circuit, 128-bit secure. */
  readonly set: BootstrappingSet
  /** Of a bootstrap of two ciphertexts of real values, and of each value in it. */
  readonly seconds: number
  /** Estimated seconds for each value of it. */
  readonly secondsPerValue: number
  /** Bits that a refreshed value keeps, relative to its range. */
  readonly precisionBits: number
  /** Bytes of its evaluation keys in memory. */
  readonly keyBytes: number
  /** What else was looked at, the cheapest first. */
  readonly rejected: readonly RejectedShape[]
}

/** A shape that was cheaper than what was chosen, but not good enough, or that is dearer. */
export interface RejectedShape {
  /** What it would have been. */
  readonly shape: SetShape
  /** Absent where no bits make it secure. */
  readonly secondsPerValue?: number
  /** The most bits that it has. */
  readonly precisionBits?: number
  /** No bits make it secure, the most are too few, or it is dearer than what was chosen. */
  readonly why: 'security' | 'precision' | 'price'
}

/**
 * The set with the least seconds for each value.
 *
 * @param costModel of the machine that will run it
 * @throws PlanError ('security') when none leaves so many levels and bits; InvalidArgumentError for a malformed need
 * @example
 * ```ts
 * import { designRefresh } from '@he-ml/ckks-core'
 * const design = await designRefresh({ levels: 14, precisionBits: 13 })
 * console.log(design.set.parameters.logQP, design.secondsPerValue, design.precisionBits)
 * ```
 */
export async function designRefresh(
  need: RefreshNeed,
  costModel: CostModel = createDefaultCostModel({ threads: 1 }),
): Promise<RefreshDesign> {
  checkNeed(need)
  const rejected: RejectedShape[] = []
  for (const arcsine of need.functionDegree === undefined ? ARCSINES : [need.functionDegree]) {
    const found = await cheapest(setShapes(need, arcsine), need, costModel, rejected)
    if (found) return { ...found, rejected }
  }
  throw nothingFound(need, rejected)
}

/** Of these shapes, the cheapest whose best bits suffice; the others are told to `rejected`. */
async function cheapest(
  shapes: readonly SetShape[],
  need: RefreshNeed,
  costModel: CostModel,
  rejected: RejectedShape[],
): Promise<Omit<RefreshDesign, 'rejected'> | undefined> {
  const candidates: Candidate[] = []
  for (const shape of shapes) {
    const [first] = refreshRequests(need, shape)
    candidates.push(first ? await candidateOf(shape, first, costModel) : { shape })
  }
  const byPrice = candidates.toSorted((a, b) => perValue(a) - perValue(b))
  let found: Omit<RefreshDesign, 'rejected'> | undefined
  for (const candidate of byPrice) {
    const { shape, price } = candidate
    if (!price) {
      rejected.push({ shape, why: 'security' })
    } else if (found) {
      rejected.push({ shape, secondsPerValue: perValue(candidate), why: 'price' })
    } else {
      const best = await mostPrecise(need, shape, costModel)
      const { precisionBits } = best.price
      if (precisionBits >= need.precisionBits) found = chosen(best.request, best.price)
      else rejected.push({ shape, secondsPerValue: perValue(candidate), precisionBits, why: 'precision' })
    }
  }
  return found
}

interface Candidate {
  readonly shape: SetShape
  readonly price?: RefreshPrice
}

const perValue = ({ price }: Candidate): number =>
  price ? price.seconds / (2 * price.set.spec.slots) : Number.POSITIVE_INFINITY

async function candidateOf(shape: SetShape, request: BootstrappingRequest, costModel: CostModel): Promise<Candidate> {
  try {
    return { shape, price: await priceRefresh(request, costModel) }
  } catch (error) {
    // too few primes of that size, or digits larger than their special primes
    if (!(error instanceof HeMlError)) throw error
    return { shape }
  }
}

/** Of the bits that a shape can have, those with the smallest error. */
async function mostPrecise(need: RefreshNeed, shape: SetShape, costModel: CostModel) {
  let best: { readonly request: BootstrappingRequest; readonly price: RefreshPrice } | undefined
  for (const request of refreshRequests(need, shape)) {
    const price = await priceRefresh(request, costModel)
    if (best && price.precisionBits <= best.price.precisionBits) continue
    best = { request, price }
  }
  return best!
}

function chosen(request: BootstrappingRequest, price: RefreshPrice): Omit<RefreshDesign, 'rejected'> {
  const { set, seconds, precisionBits, keyBytes } = price
  return { request, set, seconds, secondsPerValue: seconds / (2 * request.spec.slots), precisionBits, keyBytes }
}

/** Bits of scales that a bootstrap's primes can have. */
const [LEAST_SCALE, MOST_SCALE] = [20, 60]

function checkNeed({
  levels,
  precisionBits,
  scaleBits = 32,
  rings = RINGS,
  slots = 1,
  functionDegree = 3,
}: RefreshNeed): void {
  if (!Number.isInteger(levels) || levels < 1 || levels > 40)
    throw new InvalidArgumentError(`designRefresh: levels must be from 1 to 40, got ${levels}`)
  if (!(precisionBits > 0 && precisionBits <= 40))
    throw new InvalidArgumentError(`designRefresh: precisionBits must be from 0 to 40, got ${precisionBits}`)
  if (!(scaleBits >= LEAST_SCALE && scaleBits <= MOST_SCALE))
    throw new InvalidArgumentError(
      `designRefresh: scaleBits must be from ${LEAST_SCALE} to ${MOST_SCALE}, got ${scaleBits}`,
    )
  if (!Array.isArray(rings) || rings.length === 0)
    throw new InvalidArgumentError('designRefresh: rings must name at least one of 15 and 16')
  for (const logN of rings)
    if (!RINGS.includes(logN))
      throw new InvalidArgumentError(`designRefresh: rings of degree 2^15 and 2^16 are possible, got 2^${logN}`)
  if (!(Number.isInteger(functionDegree) && functionDegree % 2 === 1 && functionDegree >= 3 && functionDegree <= 127))
    throw new InvalidArgumentError(
      `designRefresh: functionDegree must be an odd number from 3 to 127, got ${functionDegree}`,
    )
  const most = 2 ** (Math.max(...rings) - 1)
  if (!(Number.isInteger(Math.log2(slots)) && slots <= most))
    throw new InvalidArgumentError(`designRefresh: slots must be a power of two up to ${most}, got ${slots}`)
}

function nothingFound({ levels, precisionBits }: RefreshNeed, rejected: readonly RejectedShape[]): PlanError {
  const most = Math.max(...rejected.map((r) => r.precisionBits ?? Number.NEGATIVE_INFINITY))
  const known = Number.isFinite(most) ? `the most is ${most.toFixed(1)} bits` : 'not one of any precision'
  return new PlanError(
    'security',
    `no bootstrapping set of 128-bit security leaves ${levels} levels and ${precisionBits} bits: ${known}; use fewer levels between bootstraps (lower polynomial degrees), or fewer bits`,
  )
}
