/**
 * Parameter sets for functional bootstrapping, made for what a network asks: so many levels between two refreshes, functions of so many
 * levels on grids of so many points. As with `designRefresh`, shapes decide the time and bits the precision: for every shape the fewest bits
 * are taken that leave decisions the margin wanted, and the fastest shape that is secure wins.
 */

import type { SlotContent } from '../circuits/bootstrapping/index.ts'
import {
  createFunctionalBootstrapping,
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
  /** Standard deviations between a grid point and the half-way line, for fresh inputs. Default 24: what values bring along comes on top. */
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
  /** Standard deviations between a grid point and the half-way line, for fresh inputs. */
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
const ROUND_OFF = 1e-9

/** As `justBelow`, of whole and half bits. */
const justBelowHalf = (bits: number): number => bits - 0.02

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
  if (best) return withMostBits(need, best, { step, margin, costModel, below: undefined })
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

/** The fewest half bits with the margin: errors halve with every bit, so two tries tell. */
async function fitBits(need: FunctionalNeed, shape: Shape, search: Search): Promise<FunctionalDesign | undefined> {
  let bits = FEWEST_BITS + Math.ceil(Math.log2(need.points)) + (shape.logN - 15)
  for (let tries = 0; tries < 6 && bits <= MOST_BITS; tries++) {
    const request = requestOf(need, shape, bits)
    if (!request) return undefined
    const found = await priced(need, request, search)
    if (!found) return undefined
    if (search.below !== undefined && found.seconds >= search.below) return undefined
    if (found.margin >= search.margin) return found
    bits += Math.max(1, Math.ceil(2 * Math.log2(search.margin / Math.max(found.margin, 1)))) / 2
  }
  return undefined
}

/**
 * A shape takes the same time whatever its bits, so decisions get what security leaves of them; but not those beyond 32, where residues take
 * more memory.
 */
async function withMostBits(need: FunctionalNeed, design: FunctionalDesign, search: Search): Promise<FunctionalDesign> {
  const { logN, dnum, spec, scaleBits } = design.request
  const { coeffsToSlots, slotsToCoeffs } = spec
  const most = scaleBits < NARROW_BITS ? NARROW_BITS : MOST_BITS
  for (let bits = most; justBelowHalf(bits) > scaleBits; bits -= 0.5) {
    const request = requestOf(need, { logN, dnum, coeffsToSlots, slotsToCoeffs }, bits)
    const found = request && (await priced(need, request, search))
    if (found && found.margin > design.margin && found.seconds <= design.seconds * (1 + ROUND_OFF)) return found
  }
  return design
}

/** Undefined where the modulus would be too large. */
function requestOf(need: FunctionalNeed, shape: Shape, bits: number): FunctionalRequest | undefined {
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
  } as const
  const parts = functionalLevels(spec)
  const count = slotsToCoeffs + levels + functionLevels + parts.exponential + coeffsToSlots
  const each = Math.ceil((count + 1) / dnum)
  // another number of digits is the same shape
  if (Math.ceil((count + 1) / each) !== dnum) return undefined
  const scaleBits = justBelowHalf(bits)
  const baseBits = BASE_BITS[logN]!
  const largest = Math.max(each * scaleBits, baseBits + (each - 1) * scaleBits)
  const specials = Math.ceil((largest + 1) / SPECIAL_BITS)
  const specialBits = new Array<number>(specials).fill(
    Math.min(SPECIAL_BITS, Math.ceil(((largest + 1) / specials) * 10) / 10),
  )
  if (count * scaleBits + baseBits + specials * specialBits[0]! > recommendedLogQP(logN)) return undefined
  return { logN, levels, scaleBits, baseBits, workBits: scaleBits, headBits: [], dnum, specialBits, spec }
}

/** What a refresh takes, and how sure its decisions are. */
async function priced(
  { slots, content = 'complex' }: FunctionalNeed,
  request: FunctionalRequest,
  { step, costModel }: Search,
): Promise<FunctionalDesign | undefined> {
  const used = { ...request.spec, content, slots: slots ?? request.spec.slots }
  try {
    const parameters = createParameters(functionalLiteral(request))
    if (used.slots > parameters.maxSlots) return undefined
    const circuit = createFunctionalBootstrapping(parameters, used)
    const engine = createPlanEngine(parameters, { costModel })
    using prepared = await circuit.prepare(engine)
    const input = engine.input({ level: circuit.inputLevel, slots: used.slots, magnitude: 0.25 })
    const since = engine.checkpoint()
    let margin = Number.POSITIVE_INFINITY
    prepared.evaluate(engine, input, [step], {
      observe: (estimate) => {
        margin = Math.min(margin, estimate.margin!)
      },
    })
    return { request, set: { parameters, spec: request.spec }, seconds: engine.report({ since }).seconds, margin }
  } catch (error) {
    // too few primes of that size, or digits larger than their special primes
    if (!(error instanceof HeMlError)) throw error
    return undefined
  }
}
