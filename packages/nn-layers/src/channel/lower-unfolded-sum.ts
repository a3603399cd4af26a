/** The sum of two tensors of which one has several channels in a ciphertext: these are taken apart, and gaps hold anything. No level. */
import type { Ciphertext } from '@he-ml/ckks-core'
import {
  type ChannelLayout,
  channelCiphertexts,
  ciphertextGroups,
  createLowered,
  type LoweredLayer,
} from '@he-ml/packing'
import { takeChannels, unfolded } from './fold.ts'

/** @param a lies like b when both are taken apart */
export function lowerUnfoldedSum(name: string, a: ChannelLayout, b: ChannelLayout): LoweredLayer {
  const channels = Array.from({ length: a.image[0] }, (_, c) => c)
  return createLowered({
    name,
    inputs: [a, b],
    output: { ...unfolded(a), gaps: 'any' },
    depth: 0,
    prepare:
      async () =>
      async ({ engine, inputs, pacer, temporaries }) => {
        const sums: Ciphertext[] = []
        for (let group = 0; group < ciphertextGroups(a); group++) {
          const sides = [a, b].map((layout, i) =>
            takeChannels(engine, groupOf(inputs[i]!, layout, group), layout, channels),
          )
          for (const { ciphertext, isOwn } of sides.flatMap((side) => [...side.values()]))
            if (!isOwn) temporaries.use(ciphertext)
          for (const c of channels) {
            await pacer.step()
            const [x, y] = sides.map((side) => side.get(c)!.ciphertext)
            sums.push(temporaries.use(engine.add(x!, y!)))
          }
        }
        return sums
      },
  })
}

function groupOf(ciphertexts: readonly Ciphertext[], layout: ChannelLayout, group: number): readonly Ciphertext[] {
  const size = channelCiphertexts(layout.image[0], layout)
  return ciphertexts.slice(group * size, (group + 1) * size)
}
