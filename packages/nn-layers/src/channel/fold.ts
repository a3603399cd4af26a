/**
 * Channels that share a ciphertext. A stride leaves gaps between the elements of a channel, into which others fit: refreshes and
 * activations then work on full ciphertexts. Linear maps weigh channels one by one, so they take them apart again: a rotation brings a
 * channel to its place, the others of its ciphertext stay in the gaps.
 */
import { type Ciphertext, scope } from '@he-ml/ckks-core'
import { type ChannelLayout, type CircuitEngine, channelCiphertexts } from '@he-ml/packing'
import { elementsAt } from '../lowered/channel-positions.ts'

/** Channels in a ciphertext at most: each is a rotation in and one out, with keys of their own. */
const MOST = 16

/** The same channels, one in each ciphertext; where others share it now, gaps hold anything. */
export function unfolded(layout: ChannelLayout): ChannelLayout {
  if (layout.channelOffsets.length === 1) return layout
  return { ...layout, ciphertexts: layout.image[0], channelOffsets: [0], gaps: 'any' }
}

/** As many channels in each ciphertext as fit its gaps. @param layout one channel in each */
export function folded(layout: ChannelLayout): ChannelLayout {
  const channelOffsets = offsetsWithin(layout)
  return { ...layout, channelOffsets, ciphertexts: channelCiphertexts(layout.image[0], { channelOffsets }) }
}

/** Offsets at which no two channels meet, the smallest first. */
function offsetsWithin(layout: ChannelLayout): number[] {
  const places = elementsAt(layout)
  const count = places.length
  const positions = [...places.keys()].filter((p) => places[p]! >= 0)
  const last = positions.at(-1)!
  const most = Math.min(MOST, layout.image[0], Math.floor(count / positions.length))
  const taken = new Uint8Array(count)
  const offsets: number[] = []
  for (let offset = 0; offsets.length < most && offset + last < count; offset++) {
    if (positions.some((p) => taken[p + offset])) continue
    for (const p of positions) taken[p + offset] = 1
    offsets.push(offset)
  }
  return offsets
}

/** Left rotation that brings a channel to the first place of its ciphertext. */
const stepOut = ({ images, channelOffsets }: ChannelLayout, channel: number): number =>
  channelOffsets[channel % channelOffsets.length]! * images

/** A channel taken out of its ciphertext; its owner's own where nothing had to be moved. */
export interface TakenChannel {
  readonly ciphertext: Ciphertext
  readonly isOwn: boolean
}

/** Channels in any order, each once; those of one ciphertext share its decomposition. */
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
