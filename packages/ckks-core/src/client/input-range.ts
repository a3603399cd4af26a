import type { PlanContract } from '../port/plan-contract.ts'
import type { ComplexVector } from '../port/slot-values.ts'

/** The first number outside a plan's range of inputs; undefined when all lie inside, or the plan knows no range. */
export function outsideRange(
  vectors: readonly ComplexVector[],
  { input }: PlanContract,
): { readonly input: number; readonly slot: number; readonly value: number } | undefined {
  const { range } = input
  if (!range) return undefined
  // slots without an element hold 0
  const inside = (x: number): boolean => x === 0 || (x >= range.min && x <= range.max)
  for (const [i, { re, im }] of vectors.entries())
    for (let slot = 0; slot < re.length; slot++) {
      if (!inside(re[slot]!)) return { input: i, slot, value: re[slot]! }
      // a range is one of real inputs: with an imaginary part, nothing is known of the error
      if (im && im[slot] !== 0) return { input: i, slot, value: im[slot]! }
    }
  return undefined
}
