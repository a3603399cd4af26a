/**
 * Two ciphertexts for the price of one. A linear map with real weights does the same to both halves of a complex slot, so the
 * ciphertexts of two groups (the same channels of other images) pass it as one, and a conjugation takes the results apart.
 */
import { type Ciphertext, doubledParts, joinParts } from '@he-ml/ckks-core'
import { type ChannelLayout, type CircuitContext, type CircuitEngine, ciphertextGroups } from '@he-ml/packing'
import type { ChannelPlan } from './channel-plan.ts'

/** The ciphertexts of each two groups, where they may go in pairs; an odd one goes alone. */
export function lanesOf(
  input: ChannelLayout,
  ciphertexts: readonly Ciphertext[],
  pairs: boolean,
): (readonly Ciphertext[])[][] {
  const groups = ciphertextGroups(input)
  const size = ciphertexts.length / groups
  const group = (g: number) => ciphertexts.slice(g * size, (g + 1) * size)
  if (!pairs) return Array.from({ length: groups }, (_, g) => [group(g)])
  return Array.from({ length: Math.ceil(groups / 2) }, (_, i) =>
    2 * i + 1 < groups ? [group(2 * i), group(2 * i + 1)] : [group(2 * i)],
  )
}

/** What the map is computed on: the group's own ciphertexts, or new ones that carry two groups. */
export async function carry(
  [real, imaginary]: readonly (readonly Ciphertext[])[],
  { engine, pacer, temporaries }: CircuitContext,
): Promise<readonly Ciphertext[]> {
  if (!imaginary) return real!
  const carried: Ciphertext[] = []
  for (const [i, ciphertext] of real!.entries()) {
    await pacer.step()
    carried.push(temporaries.use(joinParts(engine, ciphertext, imaginary[i]!)))
  }
  return carried
}

/** The plan with half of its weights: taking halves apart doubles them. */
export const halved = (plan: ChannelPlan): ChannelPlan => ({
  ...plan,
  taps: plan.taps.map((tap) => ({ ...tap, weight: (o, c) => tap.weight(o, c) / 2 })),
})

/** The result itself, or both halves of what carried two. */
export function halvesOf(engine: CircuitEngine, result: Ciphertext, count: number): Ciphertext[] {
  if (count === 1) return [result]
  const { real, imaginary } = doubledParts(engine, result)
  return [real, imaginary]
}
