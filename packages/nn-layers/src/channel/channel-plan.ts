/**
 * Where a linear map on a channel layout needs masks. A mask shares the level with the weights (see scale-split.ts), so each
 * product passes through one mask at most: either copies are masked as they are read, or results at the end.
 */
import type { ChannelLayout, Gaps } from '@he-ml/packing'
import type { LinearMap } from '../linear-map/linear-map.ts'
import { hasGaps } from '../lowered/channel-positions.ts'
import { channelOutput } from './channel-output.ts'
import { folded } from './fold.ts'
import { type Tap, tapsOf } from './taps.ts'

export interface PlannedTap extends Pick<Tap, 'step' | 'weight'> {
  /** One factor per position; absent where the copy is right as it is. */
  readonly mask?: Float64Array
}

export interface ChannelPlan {
  readonly map: LinearMap
  /** Where results come to be, one channel in each ciphertext. */
  readonly place: ChannelLayout
  /** The same, or as many channels together as fit: a reader that wants zeros in gaps has something to do there. */
  readonly output: ChannelLayout
  readonly taps: readonly PlannedTap[]
  /** Whether results are masked: then no copy is. */
  readonly masksResults: boolean
  /** Whether the bias is kept out of the gaps, which makes it a plaintext and no scalar. */
  readonly cleanBias: boolean
}

/**
 * @param input one channel in each ciphertext
 * @param groups of ciphertexts in the whole batch; see `folded`
 * @param wanted what the reader bears in gaps. Zero gaps cost no level: copies are masked by the output's places, or, where
 *   every copy is right at the elements and outputs are fewer than copies, results are
 * @throws UnsupportedError when the output does not fit, or weights depend on the place differently for each channel
 */
export function planChannel(
  map: LinearMap,
  input: ChannelLayout,
  { wanted, groups }: { readonly wanted: 'zero' | 'any'; readonly groups: number },
): ChannelPlan {
  const place = channelOutput(map, input)
  const taps = tapsOf(map, input, place)
  const dirty = taps.filter((tap) => tap.fillsGaps)
  const isClean = wanted === 'zero' && hasGaps(place)
  const copies = map.input[0] * dirty.length
  const masksResults = isClean && copies > 0 && !taps.some((tap) => tap.needsMask) && map.output[0] < copies
  const planned = taps.map(({ step, weight, mask, needsMask, fillsGaps }): PlannedTap => {
    const isMasked = needsMask || (isClean && fillsGaps && !masksResults)
    return { step, weight, ...(isMasked ? { mask } : {}) }
  })
  const staysZero = taps.every((tap, i) => !tap.fillsGaps || planned[i]!.mask)
  const hasBias = map.bias?.some((b) => b !== 0) ?? false
  const gaps: Gaps = isClean || !hasGaps(place) || (staysZero && !hasBias) ? 'zero' : 'any'
  const output = isClean ? folded({ ...place, gaps }, groups) : { ...place, gaps }
  return { map, place, output, taps: planned, masksResults, cleanBias: isClean && hasBias }
}
