/**
 * Channels that share a ciphertext. A stride leaves gaps between the elements of a channel, into which others fit: refreshes and
 * activations then work on full ciphertexts. Linear maps weigh channels one by one, so they take them apart again: a rotation brings a
 * channel to its place, the others of its ciphertext stay in the gaps.
 */
import { type Ciphertext, scope } from '@he-ml/ckks-core'
import {
  type ChannelLayout,
  type CircuitEngine,
  channelCiphertexts,
  ciphertextGroups,
  freeOffsets,
} from '@he-ml/packing'

/** The same channels, one in each ciphertext; where others share it now, gaps hold anything. */
export function unfolded(layout: ChannelLayout): ChannelLayout {
  if (layout.channelOffsets.length === 1) return layout
  const ciphertexts = layout.image[0] * ciphertextGroups(layout)
  return { ...layout, ciphertexts, channelOffsets: [0], gaps: 'any' }
}

/**
 * As many channels in each ciphertext as fit its gaps.
 *
 * @param layout one channel in each
 * @param groups of ciphertexts of the whole batch: their sub-batches can share ciphertexts, which is better, since nobody has to take
 *   these apart; channels get what they leave
 */
export function folded(layout: ChannelLayout, groups: number): ChannelLayout {
  const most = Math.max(1, Math.floor(freeOffsets(layout).length / groups))
  const channelOffsets = freeOffsets(layout).slice(0, Math.min(most, layout.image[0]))
  const ciphertexts = channelCiphertexts(layout.image[0], { channelOffsets }) * ciphertextGroups(layout)
  return { ...layout, channelOffsets, ciphertexts }
}

/** Left rotation that brings a channel to the first place of its ciphertext. */
const stepOut = ({ images, channelOffsets }: ChannelLayout, channel: number): number =>
  channelOffsets[channel % channelOffsets.length]! * images

/** A channel taken out of its ciphertext; its owner's own where nothing had to be moved. */
export interface TakenChannel {
  readonly ciphertext: Ciphertext
  readonly isOwn: boolean
}

/** Channels in any order, each once; those of one ciphertext share its decomposition. @param ciphertexts of one group */
export function takeChannels(
  engine: CircuitEngine,
  ciphertexts: readonly Ciphertext[],
  layout: ChannelLayout,
  channels: readonly number[],
): ReadonlyMap<number, TakenChannel> {
  const together = layout.channelOffsets.length
  const taken = new Map<number, TakenChannel>()
  for (const place of new Set(channels.map((c) => Math.floor(c / together)))) {
    const ciphertext = ciphertexts[place]!
    const wanted = channels.filter((c) => Math.floor(c / together) === place)
    const moved = wanted.filter((c) => stepOut(layout, c) !== 0)
    const steps = moved.map((c) => stepOut(layout, c))
    const copies = steps.length > 0 ? engine.rotateHoisted(ciphertext, steps) : []
    for (const c of wanted) {
      const copy = copies[moved.indexOf(c)]
      taken.set(c, copy ? { ciphertext: copy, isOwn: false } : { ciphertext, isOwn: true })
    }
  }
  return taken
}

/** Puts a channel, with zeros in its gaps, to those before it in its ciphertext. @returns a new ciphertext */
export function putChannel(
  engine: CircuitEngine,
  before: Ciphertext | undefined,
  channel: Ciphertext,
  step: number,
): Ciphertext {
  return scope((use) => {
    const moved = step === 0 ? engine.dropLevel(channel, channel.level) : engine.rotate(channel, step)
    return before ? engine.add(before, use(moved)) : moved
  })
}

/** Left rotation that brings a channel from the first place to its own. */
export const stepIn = (layout: ChannelLayout, channel: number): number =>
  (layout.slots - stepOut(layout, channel)) % layout.slots
