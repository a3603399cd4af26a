/**
 * Baby-step giant-step: a step d is a giant g plus a baby b, M x = sum over g of rotate(sum over b of
 * rotate(diagonal_{g+b}, -g) * rotate(x, b), g). All babies share one decomposition of the input and are cheap; a giant
 * needs its own and is dear. The diagonals of a packed convolution lie irregularly, so the split is searched for: baby
 * ranges of many lengths, starting at 0 or centred on it, each priced by the rotations it really needs.
 */

import { createDefaultCostModel, operationSize } from '../../engines/plan/cost-model.ts'
import { InvalidArgumentError } from '../../errors/errors.ts'
import type { AnyParameters } from '../../parameters/parameters.ts'
import { normalizeSteps } from '../../port/galois.ts'
import { SplitCounter } from './split-counter.ts'
import type { Split, SplitCosts } from './split-shape.ts'

export type { Split, SplitCosts } from './split-shape.ts'

/** A step taken apart, all in [0, slots). */
export interface SplitStep {
  /** baby + giant, modulo slots. */
  readonly step: number
  /** Rotation of the input. */
  readonly baby: number
  /** Rotation of the sum over the babies of this giant. */
  readonly giant: number
}

/** Takes steps apart. */
export function splitSteps(steps: Iterable<number>, slots: number, { length, offset }: Split): SplitStep[] {
  return [...steps].map((d) => {
    const step = normalizeSteps(d, slots)
    const baby = (normalizeSteps(step + offset, slots) % length) - offset
    return { step, baby: normalizeSteps(baby, slots), giant: normalizeSteps(step - baby, slots) }
  })
}

/** Price of a split for these steps. */
export function splitCost(steps: readonly SplitStep[], costs: SplitCosts): number {
  const babies = new Set<number>()
  const giants = new Set<number>()
  for (const { baby, giant } of steps) {
    if (baby !== 0) babies.add(baby)
    if (giant !== 0) giants.add(giant)
  }
  const keys = costs.key === undefined ? 0 : new Set([...babies, ...giants]).size * costs.key
  return babies.size * costs.baby + giants.size * costs.giant + keys
}

/** Prices at a level by the default cost model: a baby is a key product, a giant nearly a whole key switch. */
export function defaultSplitCosts(parameters: AnyParameters, level: number): SplitCosts {
  const model = createDefaultCostModel()
  const size = operationSize(parameters, level)
  return { baby: model.seconds('transformBaby', size), giant: model.seconds('transformGiant', size) }
}

/**
 * The cheapest split of all candidates: every power of two, and multiples of the steps' common divisor and of the gaps
 * between neighbouring steps.
 *
 * @param steps non-zero diagonals
 * @throws InvalidArgumentError when there are none
 */
export function chooseSplit(steps: Iterable<number>, slots: number, costs: SplitCosts): Split {
  const sorted = [...new Set([...steps].map((s) => normalizeSteps(s, slots)))].sort((a, b) => a - b)
  if (sorted.length === 0) throw new InvalidArgumentError('linear transform: the matrix has no diagonals')
  const count = new SplitCounter(slots)
  let best: Split = { length: slots, offset: 0 }
  let bestCost = count.cost(sorted, best, costs)
  for (const length of candidateLengths(sorted, slots)) {
    for (const offset of [0, length >> 1]) {
      const cost = count.cost(sorted, { length, offset }, costs)
      if (cost >= bestCost) continue
      bestCost = cost
      best = { length, offset }
    }
  }
  return best
}

const MAX_GAPS = 12
const MAX_MULTIPLE = 8

function candidateLengths(sorted: readonly number[], slots: number): Set<number> {
  const units = new Map<number, number>()
  let divisor = slots
  for (const [i, step] of sorted.entries()) {
    divisor = gcd(divisor, step)
    const gap = normalizeSteps(sorted[(i + 1) % sorted.length]! - step, slots)
    if (gap > 0) units.set(gap, (units.get(gap) ?? 0) + 1)
  }
  const frequent = [...units].sort((a, b) => b[1] - a[1]).slice(0, MAX_GAPS)
  const lengths = new Set<number>()
  for (let length = 1; length < slots; length *= 2) lengths.add(length)
  for (const unit of [divisor, ...frequent.map(([gap]) => gap)]) {
    for (let k = 1; k <= MAX_MULTIPLE; k++) lengths.add(unit * k)
    for (let length = unit; length < slots; length *= 2) lengths.add(length)
  }
  for (const length of lengths) if (length < 1 || length > slots) lengths.delete(length)
  return lengths
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b)
}
