/** Parameters and levels of a network without bootstrapping. */
import {
  type AnyParameters,
  createParameters,
  HeMlError,
  type Parameters,
  PlanError,
  SecurityError,
} from '@he-ml/ckks-core'
import type { Model } from '@he-ml/model'
import { imagesPerTensor } from '@he-ml/packing'
import type { PlanBootstrapping, PlanFunctional } from '../plan/plan-form.ts'
import { buildProgram, latestLevels } from '../program/build-program.ts'
import { inTiles } from '../program/in-tiles.ts'
import type { Network } from '../program/network.ts'
import type { PlacedStep } from '../program/placed-step.ts'
import type { Program } from '../program/program.ts'
import { COMPILE_DEFAULTS } from './defaults.ts'
import { inputLayoutFor } from './input-layout.ts'
import { type LowerOptions, lowerModel } from './lower-model.ts'
import type { CompileOptions } from './options.ts'
import type { PackedOptions } from './packings.ts'

/** What the rest of a plan follows from. */
export interface Chosen {
  readonly parameters: Parameters
  readonly network: Network
  readonly steps: readonly PlacedStep[]
  readonly program: Program
  readonly batch: number
  readonly bootstrapping?: PlanBootstrapping
  readonly functional?: PlanFunctional
}

const RINGS = [12, 13, 14, 15, 16] as const
const DIGITS = [2, 3, 4, 6, 8] as const

/** Parameters with more are not made. */
const MOST_LEVELS = 100

/**
 * The smallest ring, then the fewest digits, for which the depth is secure and the layouts fit.
 * @throws PlanError with reason 'security', 'levels' or 'range'
 */
export function chooseLeveled(model: Model, options: PackedOptions): Chosen {
  const chosen = options.parameters
    ? fixed(model, options, createParameters(options.parameters))
    : smallest(model, options)
  checkOutput(chosen.parameters, options)
  return chosen
}

/** Where the input lies in a ring. */
export const layoutFor = (model: Model, { packing, batch }: PackedOptions, maxSlots: number) =>
  inputLayoutFor(model, packing, batch, maxSlots)

function loweringOf({ tile, request, parameters }: PackedOptions): LowerOptions {
  const pairs = !request && !(parameters && isLimbwise(createParameters(parameters)))
  return { pairs, ...(tile === undefined ? {} : { tile }) }
}

/** One digit a limb and one special prime, as SEAL has them. Its slots have no exact i. */
const isLimbwise = ({ digitLimbs, p }: AnyParameters): boolean => digitLimbs === 1 && p.length === 1

type Placed = Pick<Chosen, 'network' | 'steps' | 'program'>

function placeLatest(network: Network): Placed {
  const steps = inTiles(network, latestLevels(network))
  return { network, steps, program: buildProgram(network, steps) }
}

function smallest(model: Model, options: PackedOptions): Chosen {
  const scaleBits = options.scaleBits ?? COMPILE_DEFAULTS.scaleBits
  const baseBits = options.baseBits ?? scaleBits + Math.max(8, outputBits(options))
  let reason: HeMlError | undefined
  for (const logN of options.logN === undefined ? RINGS : [options.logN]) {
    const maxSlots = 2 ** (logN - 1)
    let made: Placed
    try {
      made = placeLatest(lowerModel(model, layoutFor(model, options, maxSlots), maxSlots, loweringOf(options)))
    } catch (error) {
      if (!(error instanceof HeMlError)) throw error
      reason = error
      continue
    }
    const { level: levels } = made.program.input
    if (levels > MOST_LEVELS) {
      reason = new PlanError(
        'levels',
        `the network needs ${levels} levels, more than any ring holds: lower the option activation.degree, or set the option bootstrapping to always`,
      )
      continue
    }
    for (const dnum of DIGITS) {
      try {
        const parameters = createParameters(
          options.request?.({ logN, levels, scaleBits, baseBits }) ?? {
            logN,
            levels,
            scaleBits,
            baseBits,
            dnum,
          },
        )
        return { parameters, ...made, batch: imagesPerTensor(made.network.inputLayout) }
      } catch (error) {
        if (!(error instanceof HeMlError)) throw error
        reason = error
      }
    }
  }
  if (reason instanceof SecurityError)
    throw new PlanError(
      'security',
      `no ring up to 2^${RINGS.at(-1)} is 128-bit secure for this network: ${reason.message}; lower the option activation.degree or the option scaleBits, or set the option bootstrapping to always`,
      { cause: reason },
    )
  throw reason ?? new PlanError('security', 'no parameters fit')
}

/** Bits that the result needs above the scale: twice the largest value seen, a sign, and one bit for errors. */
const outputBits = ({ calibration }: CompileOptions): number =>
  Math.ceil(Math.log2(Math.max(1, calibration?.outputMagnitude ?? 1))) + 3

/** What outgrows the lowest modulus would wrap around, and nobody could tell. @throws PlanError */
function checkOutput(parameters: Parameters, { calibration }: CompileOptions): void {
  const room = parameters.logQAt(0) - Math.log2(parameters.scaleAt(0)) - 1
  const largest = calibration?.outputMagnitude ?? 0
  if (Math.log2(largest) < room) return
  throw new PlanError(
    'range',
    `results of up to ${largest.toPrecision(3)} were seen, but only ${(2 ** room).toPrecision(3)} fits the lowest modulus: raise the option baseBits, or scale the last layer down`,
  )
}

function fixed(model: Model, options: PackedOptions, parameters: Parameters): Chosen {
  const { maxSlots, maxLevel } = parameters
  const layout = layoutFor(model, options, maxSlots)
  const made = placeLatest(lowerModel(model, layout, maxSlots, loweringOf(options)))
  const { level } = made.program.input
  if (level > maxLevel)
    throw new PlanError(
      'levels',
      `the network needs ${level} levels, the parameters have ${maxLevel}: lower the option activation.degree, or give more levels in the option parameters`,
    )
  return { parameters, ...made, batch: imagesPerTensor(layout) }
}
