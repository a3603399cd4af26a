/**
 * Which slots of a result are published, and with how much noise: the elements of the plan's output layout for the images that
 * are asked for, and nothing else. Gaps and copies stay private, and cost no noise.
 */
import { PlanError } from '@he-ml/ckks-core'
import { errorBound, floodingSigma, type PublicationOptions, type PublishedSlots } from '@he-ml/ckks-core/client'
import { layoutPositions, type SlotLayout } from '@he-ml/packing'
import type { Plan } from '@he-ml/pipeline'

export interface PublicationWish {
  /** Results (files) that will ever be published under the key. */
  readonly queries: number
  readonly images: number
  readonly statisticalBits: number
  /** Bits that must remain. */
  readonly precisionBits: number
}

export interface Publication {
  readonly options: PublicationOptions
  /** What a reader of the published numbers should know. */
  readonly summary: {
    readonly queries: number
    readonly statisticalBits: number
    readonly sigma: number
    readonly precisionBits: number
  }
  /** The published numbers back in their slots; all others are zero. */
  vectors(published: readonly PublishedSlots[]): Float64Array[]
}

/** @throws PlanError when fewer than the wanted bits would remain, naming the --scale-bits that would do */
export function publicationOf(plan: Plan, layout: SlotLayout, wish: PublicationWish): Publication {
  const { statisticalBits } = wish
  const positions = slotsOf(layout, wish.images)
  const queries = wish.queries * layout.ciphertexts
  const bound = errorBound(2 ** -plan.report.precisionBits)
  const sigma = floodingSigma({ errorBound: bound, queries, numbers: positions.length, statisticalBits })
  const precisionBits = -Math.log2(sigma)
  if (precisionBits < wish.precisionBits) throw tooLittle(plan, wish, precisionBits)
  return {
    options: { queries, errorBound: bound, positions, statisticalBits },
    summary: { queries: wish.queries, statisticalBits, sigma, precisionBits },
    vectors: (published) =>
      published.map(({ re }) => {
        const vector = new Float64Array(layout.slots)
        for (const [i, position] of positions.entries()) vector[position] = re[i]!
        return vector
      }),
  }
}

/** Slots that hold an element of one of the images in any of the ciphertexts, ascending. */
function slotsOf(layout: SlotLayout, images: number): number[] {
  const used = new Set<number>()
  for (const place of layoutPositions(layout)) for (let b = 0; b < images; b++) used.add((place + b) % layout.slots)
  return [...used].sort((a, b) => a - b)
}

function tooLittle(plan: Plan, wish: PublicationWish, left: number): PlanError {
  const scaleBits = Math.round(Math.log2(plan.parameters.scale))
  const missing = Math.ceil(wish.precisionBits - left)
  return new PlanError(
    'range',
    `the plan's scale of ${scaleBits} bits is too small to publish results: the noise for ${wish.queries} queries at ${wish.statisticalBits} statistical bits would leave ${left.toFixed(1)} bits, wanted ${wish.precisionBits}. Make the plan and the keys again with --scale-bits ${scaleBits + missing} (a larger ring may be needed), declare fewer queries or --statistical-bits, or keep the result private`,
  )
}
