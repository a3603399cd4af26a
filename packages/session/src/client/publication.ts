/**
 * Which slots of a result are published: the elements of the plan's output layout for the images that are asked for, and nothing
 * else. Gaps and copies stay private, and cost no noise. How much noise, and whether at all, is the ledger's business.
 */
import { PlanError, SecurityError } from '@he-ml/ckks-core'
import {
  floodingSigma,
  type Ledger,
  type LedgerState,
  type PublicationOptions,
  type PublishedSlots,
} from '@he-ml/ckks-core/client'
import { imageShift, layoutPositions, type SlotLayout } from '@he-ml/packing'
import type { Plan } from '@he-ml/pipeline'

/** What the owner of a key wants to publish of a result. */
export interface PublicationWish {
  /** Results (files) that will ever be published under the key. */
  readonly queries: number
  /** Images of the batch that are published, the first ones. */
  readonly images: number
  /** log2 of 1 / (total KL divergence allowed), from 10 to 80. */
  readonly statisticalBits: number
  /** Bits that must remain. */
  readonly precisionBits: number
}

/**
 * What goes to the client engine.
 * @throws SecurityError without a ledger; PlanError ('precision') when fewer than the wanted bits would remain, naming the --scale-bits that would do
 */
export async function publicationOf(
  plan: Plan,
  layout: SlotLayout,
  ledger: Ledger | undefined,
  wish: PublicationWish,
): Promise<PublicationOptions> {
  if (!ledger)
    throw new SecurityError(
      'publish: this key has no ledger here, so nobody counts what was published: keep the result private',
    )
  const { queries, statisticalBits, precisionBits } = wish
  const positions = slotsOf(layout, wish.images)
  const left = bitsLeft(await ledger.read(), wish, positions.length)
  if (left < precisionBits) throw tooLittle(plan, wish, left)
  return { ledger, queries, positions, statisticalBits, precisionBits }
}

/** The published numbers back in their slots; all others are zero. */
export function publishedVectors(
  published: readonly PublishedSlots[],
  { positions }: PublicationOptions,
  layout: SlotLayout,
): Float64Array[] {
  return published.map(({ re }) => {
    const vector = new Float64Array(layout.slots)
    for (const [i, position] of positions!.entries()) vector[position] = re[i]!
    return vector
  })
}

/** What a reader of the published numbers should know. */
export type PublicationSummary = Pick<PublishedSlots, 'queries' | 'statisticalBits' | 'sigma' | 'precisionBits'>

export function publicationSummary(published: readonly PublishedSlots[]): PublicationSummary {
  const { queries, statisticalBits, sigma, precisionBits } = published[0]!
  return { queries, statisticalBits, sigma, precisionBits }
}

function bitsLeft({ terms, contract }: LedgerState, wish: PublicationWish, positions: number): number {
  const numbers = positions * contract.output.ciphertexts
  return -Math.log2(terms?.sigma ?? floodingSigma({ ...wish, errorBound: contract.errorBound, numbers }))
}

/** Slots that hold an element of one of the images in any of the ciphertexts, ascending. */
function slotsOf(layout: SlotLayout, images: number): number[] {
  const used = new Set<number>()
  const shifts = Array.from({ length: images }, (_, b) => imageShift(layout, b))
  for (const place of layoutPositions(layout)) for (const shift of shifts) used.add((place + shift) % layout.slots)
  return [...used].sort((a, b) => a - b)
}

function tooLittle(plan: Plan, wish: PublicationWish, left: number): PlanError {
  const scaleBits = Math.round(Math.log2(plan.parameters.scale))
  // masks and weights share the scale of channel packing: each gains half a bit
  const share = plan.packing === 'channel' ? 2 : 1
  const missing = Math.ceil(wish.precisionBits - left) * share
  return new PlanError(
    'precision',
    `the plan's scale of ${scaleBits} bits is too small to publish results: the noise for ${wish.queries} queries at ${wish.statisticalBits} statistical bits would leave ${left.toFixed(1)} bits, wanted ${wish.precisionBits}. Make the plan and the keys again with --scale-bits ${scaleBits + missing} (a larger ring may be needed), declare fewer queries or --statistical-bits, or keep the result private`,
  )
}
