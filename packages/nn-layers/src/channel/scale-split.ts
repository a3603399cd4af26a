/**
 * How a mask and a weight share the scale that one rescale takes off. Encoding rounds a mask to coefficients, which brings an
 * error of sqrt(n / 6) / maskScale to each of n slots (2n coefficients are not zero); a weight is rounded to multiples of
 * 1 / weightScale. Behind a sum of K products with a row's sum of squared weights g^2 that is g sqrt(n / 6) / maskScale and
 * sqrt(K / 12) / weightScale, relative to the values. Both are made equal.
 */
import type { AnyParameters, Level } from '@he-ml/ckks-core'
import { groupSizes, linearGain } from '../linear-map/linear-map.ts'
import { weightScale } from '../lowered/unit-weight.ts'
import type { ChannelPlan } from './channel-plan.ts'

export interface ScaleSplit {
  /** Of masks, and of copies that need none; 1 where nothing is masked. */
  readonly mask: number
  /** Of weights. The product of both is the scale that rescaling takes off. */
  readonly weight: number
}

/** @param plan with the weights that are used: {@link halved} where two groups travel as one */
export function splitScale(plan: ChannelPlan, parameters: AnyParameters, level: Level): ScaleSplit {
  const total = weightScale(parameters, level)
  if (!plan.masksResults && plan.taps.every((tap) => !tap.mask)) return { mask: 1, weight: total }
  const exact = exactScale(plan)
  if (exact !== undefined) return { mask: total / exact, weight: exact }
  const terms = groupSizes(plan.map).inputs * plan.taps.length
  const ratio = (linearGain(plan.map) || 1) * Math.sqrt((2 * plan.place.slots) / terms)
  const most = Math.floor(Math.log2(total)) - LEAST_BITS
  const bits = Math.min(Math.max(Math.round(Math.log2(total * ratio) / 2), LEAST_BITS), most)
  return { mask: 2 ** bits, weight: total / 2 ** bits }
}

/** Of mask and weights each. */
const LEAST_BITS = 8

/** The least scale that keeps all weights exactly, as in a sum of integers or the halves of such; nothing where rows are zero. */
function exactScale({ map, taps }: ChannelPlan): number | undefined {
  const { inputs } = groupSizes(map)
  let scale: 1 | 2 = 1
  for (let o = 0; o < map.output[0]; o++) {
    let isSeen = false
    for (let c = 0; c < inputs; c++)
      for (const tap of taps) {
        const weight = tap.weight(o, c)
        if (!Number.isInteger(2 * weight)) return undefined
        if (!Number.isInteger(weight)) scale = 2
        if (weight !== 0) isSeen = true
      }
    if (!isSeen) return undefined
  }
  return scale
}
