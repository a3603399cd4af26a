/**
 * The parameter sets that a network's bootstraps may have: named ones, and some designed for it. How many levels should lie between
 * two bootstraps only the whole placement tells, so a few numbers are offered: as many as some layers with their activations take.
 */
import {
  BOOTSTRAPPING_SETS,
  type BootstrappingSet,
  bootstrappingSet,
  type CostModel,
  designRefresh,
  PlanError,
  type RefreshNeed,
} from '@he-ml/ckks-core'
import type { Model } from '@he-ml/model'
import { COMPILE_DEFAULTS } from './defaults.ts'
import { layoutFor } from './leveled.ts'
import { lowerModel } from './lower-model.ts'
import type { CompileOptions } from './options.ts'
import type { PackedOptions } from './packings.ts'

/** Bits that a refreshed value keeps: noise of 2^-12 of a layer's range changes no prediction of a ResNet-20 (512 images). */
const REFRESH_BITS = 13
const SMALLEST_LOG_N = 15
/** Numbers of levels between bootstraps near which multiples of what a layer takes are tried. */
const NEAR = [7, 11, 15] as const

/**
 * The sets that the options allow.
 *
 * @param model with polynomials
 * @throws InvalidArgumentError for an unknown set; PlanError when no set is left
 */
export async function allowedSets(
  model: Model,
  options: PackedOptions,
  costModel: CostModel,
): Promise<BootstrappingSet[]> {
  const { bootstrapping } = options
  if (typeof bootstrapping !== 'object')
    return [...namedSets(options), ...(await designedSets(model, options, costModel))]
  if ('set' in bootstrapping) return [bootstrappingSet(bootstrapping.set, bootstrapping.spec)]
  return [(await designRefresh(needOf(options, bootstrapping.levels), costModel)).set]
}

function namedSets({ scaleBits = COMPILE_DEFAULTS.scaleBits, logN }: CompileOptions): BootstrappingSet[] {
  return Object.entries(BOOTSTRAPPING_SETS)
    .filter(([, set]) => Math.round(set.scaleBits) >= scaleBits && (logN === undefined || set.logN === logN))
    .map(([name]) => bootstrappingSet(name))
}

async function designedSets(model: Model, options: PackedOptions, costModel: CostModel): Promise<BootstrappingSet[]> {
  // smaller rings hold no bootstrapping
  if (options.logN !== undefined && options.logN < SMALLEST_LOG_N) return []
  const unit = unitOf(model, options)
  const levels = new Set(NEAR.map((near) => unit * Math.max(1, Math.round(near / unit))))
  const sets: BootstrappingSet[] = []
  for (const count of levels) {
    try {
      sets.push((await designRefresh(needOf(options, count), costModel)).set)
    } catch (error) {
      if (!(error instanceof PlanError)) throw error
    }
  }
  return sets
}

/** A fresh scale of fewer bits would not be what was asked for. */
function needOf({ bootstrapping, scaleBits = 0, logN }: CompileOptions, levels: number): RefreshNeed {
  const own = typeof bootstrapping === 'object' && 'levels' in bootstrapping ? bootstrapping.precisionBits : undefined
  const precisionBits = own ?? REFRESH_BITS
  const need = { levels, precisionBits, ...(logN === undefined ? {} : { rings: [logN] }) }
  // the default of a need is enough for its bits
  return scaleBits > precisionBits + 22 ? { ...need, scaleBits } : need
}

/** Levels of the deepest layer and of a linear one before it. */
function unitOf(model: Model, options: PackedOptions): number {
  const maxSlots = 2 ** ((options.logN ?? 16) - 1)
  const { nodes } = lowerModel(model, layoutFor(model, options, maxSlots), maxSlots)
  return 1 + Math.max(...nodes.map(({ circuit }) => circuit.depth))
}
