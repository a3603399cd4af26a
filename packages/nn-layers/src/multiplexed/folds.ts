/**
 * Partial sums: instead of one output slot reading everything, several slots read a share each, and rotate-and-add brings
 * the shares together (the hybrid method of Gazelle, USENIX Security 2018). Each fold costs a rotation and halves what has
 * to be reached, at best.
 *
 * Folding whole halves of the vector leaves every copy complete and every gap zero. Any other fold leaves partial sums in
 * gaps; those are only made where the reader bears them.
 */
import { type Prices, transformCost } from './prices.ts'

export interface FoldPlan {
  /** Left rotations, each added to what is there, in order. */
  readonly folds: readonly number[]
  /** Where shares lie relative to the output: all sums of subsets of folds. */
  readonly shifts: readonly number[]
  /** Input rotations, given that shares reach `step + shift`. */
  readonly steps: readonly number[]
  readonly cost: number
}

export interface LooseFoldInput {
  /** Residues modulo `period` that output slots must reach. */
  readonly steps: readonly number[]
  readonly period: number
  /** Length of the vector; a multiple of the period. */
  readonly slots: number
  /** Output slots. */
  readonly targets: readonly number[]
  readonly prices: Prices
}

/**
 * Folds by any distance, chosen one after the other while they pay. A share may also lie in another copy of a repeating
 * input, at a distance of a multiple of the period plus the reach wanted.
 */
export function looseFolds({ steps, period, slots, targets, prices }: LooseFoldInput): FoldPlan {
  let plan: FoldPlan = { folds: [], shifts: [0], steps, cost: transformCost(steps, slots, prices) }
  for (;;) {
    const next = bestFold(plan, { steps, period, slots, targets, prices })
    if (next === undefined || next.cost >= plan.cost) return plan
    plan = next
  }
}

function bestFold(plan: FoldPlan, input: LooseFoldInput): FoldPlan | undefined {
  const { period, slots, targets, prices } = input
  let best: FoldPlan | undefined
  for (const reach of reaches(plan.steps, period)) {
    const steps = halfCover(plan.steps, reach, period)
    if (steps.length === plan.steps.length) continue
    const cost = transformCost(steps, slots, prices) + (plan.folds.length + 1) * prices.rotate
    if (best && cost >= best.cost) continue
    for (let base = 0; base < slots; base = base === 0 ? period : base * 2) {
      const fold = (base + reach) % slots
      const shifts = [...plan.shifts, ...plan.shifts.map((s) => (s + fold) % slots)]
      if (!disjoint(shifts, targets, slots)) continue
      best = { folds: [...plan.folds, fold], shifts, steps, cost }
      break
    }
  }
  return best
}

/** Candidate reaches: powers of two, and the most frequent distances between neighbouring steps times small numbers. */
export function reaches(steps: readonly number[], period: number): Set<number> {
  const candidates = new Set<number>()
  for (let reach = 1; reach < period; reach *= 2) candidates.add(reach)
  const gaps = new Map<number, number>()
  for (let i = 1; i < steps.length; i++) {
    const gap = steps[i]! - steps[i - 1]!
    gaps.set(gap, (gaps.get(gap) ?? 0) + 1)
  }
  const frequent = [...gaps].sort((a, b) => b[1] - a[1]).slice(0, 2)
  for (const [gap] of frequent) for (let k = 1; k <= 16; k++) if (gap * k < period) candidates.add(gap * k)
  return candidates
}

/** Fewest steps X such that X and X + reach together contain all steps modulo the period: chains are taken in pairs. */
export function halfCover(steps: readonly number[], reach: number, period: number): number[] {
  const residue = (s: number): number => ((s % period) + period) % period
  const wanted = new Map(steps.map((s) => [residue(s), s]))
  const chosen: number[] = []
  const follow = (start: number): void => {
    for (let r = start; wanted.has(r); r = residue(r + 2 * reach)) {
      chosen.push(wanted.get(r)!)
      wanted.delete(r)
      wanted.delete(residue(r + reach))
    }
  }
  for (const r of [...wanted.keys()]) if (wanted.has(r) && !wanted.has(residue(r - reach))) follow(r)
  for (const r of [...wanted.keys()]) if (wanted.has(r)) follow(r) // whole circles
  return chosen.sort((a, b) => a - b)
}

function disjoint(shifts: readonly number[], targets: readonly number[], slots: number): boolean {
  const seen = new Uint8Array(slots)
  for (const shift of shifts)
    for (const target of targets) {
      const place = (target + shift) % slots
      if (seen[place]) return false
      seen[place] = 1
    }
  return true
}
