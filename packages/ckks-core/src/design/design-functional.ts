/**
 * Parameter sets for functional bootstrapping, made for what a network asks: so many levels between two refreshes, functions of so many
 * levels on grids of so many points. As with `designRefresh`, shapes decide the time and bits the precision: the fastest shape wins whose bits
 * leave decisions the margin wanted.
 */

import type { SlotContent } from '../circuits/bootstrapping/index.ts'
import {
  createFunctionalBootstrapping,
  type FunctionalEstimate,
  type FunctionalRequest,
  type FunctionalSet,
  functionalLevels,
  functionalLiteral,
  type GridFunction,
  gridFunction,
} from '../circuits/functional-bootstrapping/index.ts'
import { type CostModel, createDefaultCostModel } from '../engines/plan/cost-model.ts'
import { createPlanEngine } from '../engines/plan/plan-engine.ts'
import { HeMlError, InvalidArgumentError, PlanError } from '../errors/errors.ts'
import { createParameters } from '../parameters/create-parameters.ts'
import { recommendedLogQP } from '../parameters/recommended.ts'
import type { Slots } from '../port/quantities.ts'
import { DOWN, RINGS, UP } from './set-shapes.ts'

/** What a network asks of its functional bootstraps. */
export interface FunctionalNeed {
  /** Levels between a result and the next refresh. */
  readonly levels: number
  /** Levels that the deepest function takes. */
  readonly functionLevels: number
  /** Of the finest grid: a power of two up to 256. */
  readonly points: number
  /** See `FunctionalDesign.margin`. Default 24: what values bring along comes on top. */
  readonly margin?: number
  /** log2 of the ring degree; default 15 and 16. */
  readonly rings?: readonly number[]
  /** Period and content of most refreshes; default all slots of a ring, complex. */
  readonly slots?: Slots
  /** What most refreshes hold; default complex. */
  readonly content?: SlotContent
}

/** A set of {@link designFunctional}. */
export interface FunctionalDesign {
  /** What its primes follow from. */
  readonly request: FunctionalRequest
  /** Parameters and circuit, 128-bit secure. */
  readonly set: FunctionalSet
  /** Of a refresh with one function. */
  readonly seconds: number
  /**
   * Standard deviations between a grid point and the half-way line: of fresh inputs and of what a refresh gave, errors of the length of E counted as
   * membranes carry them on.
   */
  readonly margin: number
}

const DEFAULT_MARGIN = 24
const DIGITS: Readonly<Record<number, readonly number[]>> = { 15: [3, 4, 5, 6, 8, 12], 16: [2, 3, 4] }
/** Degree and squarings of the exponential (docs/notes/functional-bootstrapping.md). */
const [DEGREE, SQUARINGS] = [15, 4]
/** Bits of a prime. */
const [FEWEST_BITS, MOST_BITS] = [21, 47]
/** q0 times the first special prime stays within what the ephemeral secret bears. */
const BASE_BITS: Readonly<Record<number, number>> = { 15: 35.98, 16: 41.98 }
const SPECIAL_BITS = 47.5
/** Of residues that lie in half a word. */
const NARROW_BITS = 32
/** Bits that levels below the exponential may have less than those above. */
const FEWER = [0, 1, 2, 3, 4] as const

/** Bits of the special primes beyond the largest digit: halved errors of key switches, up to where rounding is as large. */
const EXCESS = [1, 2, 3, 4] as const

/** Relative, of seconds. */
const ROUND_OFF = 1e-9

/** So that the prime is shorter than that. */
const justBelow = (bits: number): number => bits - 0.02

/**
 * The fastest set.
 *
 * @throws PlanError ('security') when none is secure; InvalidArgumentError for a malformed need
 * @example
 * ```ts
 * import { designFunctional } from '@he-ml/ckks-core'
 * const { set, margin, seconds } = await designFunctional({ levels: 2, functionLevels: 5, points: 16 })
 * console.log(set.parameters.logN, set.parameters.logQP, margin, seconds)
 * ```
 */
export async function designFunctional(
  need: FunctionalNeed,
  costModel: CostModel = createDefaultCostModel({ threads: 1 }),
): Promise<FunctionalDesign> {
  const { levels, functionLevels, points, rings = RINGS, margin = DEFAULT_MARGIN } = need
  if (!(Number.isInteger(levels) && levels >= 0 && Number.isInteger(functionLevels) && functionLevels > 0))
    throw new InvalidArgumentError(
      `designFunctional: levels must be whole numbers, got ${levels} and ${functionLevels}`,
    )
  if (!(margin > 0)) throw new InvalidArgumentError(`designFunctional: the margin must be positive, got ${margin}`)
  if (!(Number.isInteger(Math.log2(points)) && points >= 4 && points <= 256))
    throw new InvalidArgumentError(`designFunctional: points must be a power of two from 4 to 256, got ${points}`)
  const step = stepOf(points, functionLevels)
  let best: FunctionalDesign | undefined
  for (const logN of rings)
    for (const coeffsToSlots of UP)
      for (const slotsToCoeffs of DOWN)
        for (const dnum of DIGITS[logN] ?? []) {
          const shape = { logN, coeffsToSlots, slotsToCoeffs, dnum }
          const found = await fitBits(need, shape, { step, margin, costModel, below: best?.seconds })
          if (found && (!best || found.seconds < best.seconds)) best = found
        }
  if (best) return best
  throw new PlanError(
    'security',
    `no functional bootstrapping set of 128-bit security leaves ${levels} levels with functions of ${functionLevels} on ${points} points: use smaller grids, or fewer levels between refreshes`,
  )
}

/** A step of these points, cleaned where its levels allow. */
function stepOf(points: number, levels: number): GridFunction {
  const values = Array.from({ length: points }, (_, i) => ({ index: i - points / 2, value: i < points / 2 ? 0 : 1 }))
  const cleaned = gridFunction({ points, values: values.slice(1), cleaned: true })
  return cleaned.depth <= levels ? cleaned : gridFunction({ points, values: values.slice(1) })
}

interface Shape {
  readonly logN: number
  readonly coeffsToSlots: number
  readonly slotsToCoeffs: number
  readonly dnum: number
}

interface Search {
  readonly step: GridFunction
  readonly margin: number
  readonly costModel: CostModel
  /** Seconds that are known to do. */
  readonly below: number | undefined
}

/**
 * A shape takes the same time whatever its bits, so decisions get what security leaves of them. What coeffsToSlots and the exponential add to the angle
 * is multiplied by a hundred, what the levels below add is not: bits are worth more above.
 */
async function fitBits(need: FunctionalNeed, shape: Shape, search: Search): Promise<FunctionalDesign | undefined> {
  const { margin, below = Number.POSITIVE_INFINITY } = search
  let best: FunctionalDesign | undefined
  for (const excess of EXCESS) {
    const found = await surest(
      FEWER.map((fewer) => mostBits(need, shape, { fewer, excess })),
      (request) => priced(need, request, search),
      below,
    )
    if (!found) return undefined
    if (best && found.margin <= best.margin) break
    best = found
  }
  if (!best || best.margin >= margin) return best
  return best.request.workBits === justBelow(NARROW_BITS) ? fitWideBits(need, shape, search, best) : undefined
}

/** The last of some requests whose margins rise; undefined where they take as long as something that is known to do. */
async function surest(
  requests: readonly (FunctionalRequest | undefined)[],
  price: (request: FunctionalRequest) => Promise<FunctionalDesign | undefined>,
  below: number,
): Promise<FunctionalDesign | undefined> {
  let best: FunctionalDesign | undefined
  for (const request of requests) {
    const found = request && (await price(request))
    if (!found) continue
    if (found.seconds >= below) return undefined
    if (best && found.margin <= best.margin) break
    best = found
  }
  return best
}

/** As many as security leaves, in eighths, within half a word; so many fewer below the exponential. */
function mostBits(
  need: FunctionalNeed,
  shape: Shape,
  { fewer, excess }: { readonly fewer: number; readonly excess: number },
): FunctionalRequest | undefined {
  for (let workBits = NARROW_BITS; workBits - fewer >= FEWEST_BITS; workBits -= 0.125) {
    const request = requestOf(need, shape, { workBits, scaleBits: workBits - fewer, excess })
    if (request) return request
  }
  return undefined
}

/**
 * Beyond half a word, above the exponential only: residues take more memory and time, so the fewest special primes with the margin, and then the
 * most bits. Errors halve with every bit.
 */
async function fitWideBits(
  need: FunctionalNeed,
  shape: Shape,
  search: Search,
  narrow: FunctionalDesign,
): Promise<FunctionalDesign | undefined> {
  let best: FunctionalDesign | undefined
  let { margin } = narrow
  for (let workBits = NARROW_BITS; ; ) {
    workBits += Math.max(1, Math.ceil(2 * Math.log2(search.margin / margin))) / 2
    const request =
      workBits > MOST_BITS ? undefined : requestOf(need, shape, { workBits, scaleBits: NARROW_BITS, excess: EXCESS[0] })
    const found = request && (await priced(need, request, search))
    if (!found || found.seconds >= (best ? best.seconds * (1 + ROUND_OFF) : (search.below ?? Infinity))) return best
    margin = Math.max(1, found.margin)
    if (margin >= search.margin) best = found
  }
}

/** Undefined where the modulus would be too large, or another number of digits is the same shape. */
function requestOf(
  need: FunctionalNeed,
  shape: Shape,
  bits: Pick<FunctionalRequest, 'workBits' | 'scaleBits'> & { readonly excess: number },
): FunctionalRequest | undefined {
  const { logN, coeffsToSlots, slotsToCoeffs, dnum } = shape
  const { levels, functionLevels } = need
  const spec = {
    slots: 2 ** (logN - 1),
    content: 'complex',
    coeffsToSlots,
    slotsToCoeffs,
    degree: DEGREE,
    squarings: SQUARINGS,
    functionLevels,
    shortKeys: true,
  } as const
  const parts = functionalLevels(spec)
  const below = slotsToCoeffs + levels + functionLevels
  const above = parts.exponential + coeffsToSlots
  const each = Math.ceil((below + above + 1) / dnum)
  if (Math.ceil((below + above + 1) / each) !== dnum) return undefined
  const [scaleBits, workBits] = [justBelow(bits.scaleBits), justBelow(bits.workBits)]
  const baseBits = BASE_BITS[logN]!
  // every squaring doubles an error of the angle: what is squared later needs less of them
  const headBits = Array.from({ length: parts.exponential }, (_, i) => {
    const squared = i + SQUARINGS + 1 - parts.exponential
    return workBits - (Math.max(0, squared) / SQUARINGS) * (workBits - scaleBits)
  })
  const chain = [
    baseBits,
    ...new Array<number>(below).fill(scaleBits),
    ...headBits.toReversed(),
    ...new Array<number>(coeffsToSlots).fill(workBits),
  ]
  const largest = Math.max(...digits(chain, each))
  const specials = Math.ceil((largest + bits.excess) / SPECIAL_BITS)
  const specialBits = new Array<number>(specials).fill(
    Math.min(SPECIAL_BITS, Math.ceil(((largest + bits.excess) / specials) * 10) / 10),
  )
  if (sum(chain) + sum(specialBits) > recommendedLogQP(logN)) return undefined
  return { logN, levels, scaleBits, baseBits, workBits, headBits, dnum, specialBits, spec }
}

const sum = (bits: readonly number[]): number => bits.reduce((a, b) => a + b, 0)

/** Of so many limbs each. */
const digits = (chain: readonly number[], each: number): number[] =>
  Array.from({ length: Math.ceil(chain.length / each) }, (_, i) => sum(chain.slice(i * each, (i + 1) * each)))

/**
 * Functions can be made flat beside their points, but not against errors of the length of E: at the worst point of a membrane's function of 64 points
 * four times such an error comes out.
 */
const LENGTHENED = 4

const marginOf = ({ deviation, lengthened, margin = 0 }: FunctionalEstimate): number =>
  margin / Math.hypot(1, (LENGTHENED * lengthened) / deviation)

/** What was priced by a cost model. */
const known = new WeakMap<CostModel, Map<string, Promise<FunctionalDesign | undefined>>>()

/** More than one search finds. */
const MOST_KNOWN = 5000

/** What a refresh takes, and how sure its decisions are; searches for several margins come by the same requests. */
function priced(
  need: FunctionalNeed,
  request: FunctionalRequest,
  search: Search,
): Promise<FunctionalDesign | undefined> {
  const { costModel } = search
  const prices = known.get(costModel) ?? new Map<string, Promise<FunctionalDesign | undefined>>()
  known.set(costModel, prices)
  const key = JSON.stringify([need.slots, need.content, need.points, request])
  const price = prices.get(key) ?? judge(need, request, search)
  if (prices.size >= MOST_KNOWN) prices.clear()
  prices.set(key, price)
  return price
}

async function judge(
  { slots, content = 'complex' }: FunctionalNeed,
  request: FunctionalRequest,
  { step, costModel }: Search,
): Promise<FunctionalDesign | undefined> {
  const used = { ...request.spec, content, slots: slots ?? request.spec.slots }
  try {
    const parameters = createParameters(functionalLiteral(request))
    // primes are as near to their bits as there are some
    if (used.slots > parameters.maxSlots || parameters.logQP > recommendedLogQP(request.logN)) return undefined
    const circuit = createFunctionalBootstrapping(parameters, used)
    const engine = createPlanEngine(parameters, { costModel })
    using prepared = await circuit.prepare(engine)
    const input = engine.input({ level: circuit.inputLevel, slots: used.slots, magnitude: 0.25 })
    const since = engine.checkpoint()
    let margin = Number.POSITIVE_INFINITY
    const observe = (estimate: FunctionalEstimate) => {
      margin = Math.min(margin, marginOf(estimate))
    }
    const [output] = prepared.evaluate(engine, input, [step], { observe })
    const { seconds } = engine.report({ since })
    // what the levels of functions add is seen where it comes back
    prepared.evaluate(engine, output!, [step], { observe })
    return { request, set: { parameters, spec: request.spec }, seconds, margin }
  } catch (error) {
    // too few primes of that size, or digits larger than their special primes
    if (!(error instanceof HeMlError)) throw error
    return undefined
  }
}
