/**
 * Sub-batches that share a ciphertext. A stride leaves gaps between elements; where a batch has more sub-batches, their elements
 * go there, and everything after works on fewer ciphertexts: rotations, products and refreshes alike. One rotation for each
 * ciphertext, and nobody ever takes them apart again: every later layer treats all images alike.
 */
import { type Ciphertext, scope } from '@he-ml/ckks-core'
import { type CircuitEngine, createLowered } from './create-lowered.ts'
import { freeOffsets } from './free-offsets.ts'
import { channelCiphertexts, ciphertextGroups } from './layout-positions.ts'
import type { LoweredLayer } from './lowered-contract.ts'
import type { ChannelLayout } from './slot-layout.ts'

/**
 * How many groups of ciphertexts fit into one: a power of two; 1 where gaps may hold something.
 *
 * @param groups that there are in the whole batch: a power of two
 */
export function mergeable(layout: ChannelLayout, groups: number): number {
  if (layout.gaps !== 'zero') return 1
  return Math.min(groups, 2 ** Math.floor(Math.log2(freeOffsets(layout).length)))
}

/** Where elements lie when each `together` groups of ciphertexts have become one. */
export function mergedLayout(layout: ChannelLayout, together: number): ChannelLayout {
  const offsets = freeOffsets(layout).slice(0, together)
  const subBatchOffsets = offsets.flatMap((offset) => layout.subBatchOffsets.map((own) => offset + own))
  return { ...layout, subBatchOffsets, ciphertexts: layout.ciphertexts / together }
}

/** Each `together` groups of ciphertexts become one, by rotations and additions; no level. With 1 they only come together in a tensor. */
export function lowerMerge(name: string, input: ChannelLayout, together: number): LoweredLayer {
  const output = mergedLayout(input, together)
  const steps = freeOffsets(input).map((offset) => (input.slots - offset * input.images) % input.slots)
  const inGroup = channelCiphertexts(input.image[0], input)
  return createLowered({
    name,
    inputs: [input],
    output,
    depth: 0,
    prepare:
      async () =>
      async ({ engine, inputs, pacer, temporaries }) => {
        const merged: Ciphertext[] = []
        for (let group = 0; group < ciphertextGroups(output); group++)
          for (let i = 0; i < inGroup; i++) {
            await pacer.step()
            const parts = Array.from({ length: together }, (_, g) => inputs[0]![(group * together + g) * inGroup + i]!)
            merged.push(temporaries.use(sideBySide(engine, parts, steps)))
          }
        return merged
      },
  })
}

/** Each at its own offset. */
function sideBySide(engine: CircuitEngine, parts: readonly Ciphertext[], steps: readonly number[]): Ciphertext {
  const [first] = parts as [Ciphertext]
  if (parts.length === 1) return engine.dropLevel(first, first.level)
  return scope((use) => engine.sum(parts.map((part, i) => (i === 0 ? part : use(engine.rotate(part, steps[i]!))))))
}
