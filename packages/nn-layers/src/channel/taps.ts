/**
 * What a tap of a window reads on a channel layout. One rotation brings the input of every output to its place; outputs whose
 * input would be padding find something else there, and so do positions without an output.
 */
import { UnsupportedError } from '@he-ml/ckks-core'
import { type ChannelLayout, elementsAt } from '@he-ml/packing'
import { groupSizes, type LinearMap, type Pair, sourceOf, usefulTaps } from '../linear-map/linear-map.ts'

export interface Tap {
  /** Left rotation of the input, in [0, slots). */
  readonly step: number
  /** Weight of the rotated copy of channel c (within the group) in output channel o. */
  weight(o: number, c: number): number
  /** What makes the copy right, one factor per position: zero where there is padding and where there is no output. */
  readonly mask: Float64Array
  /** Whether the copy is wrong for some output without the mask. */
  readonly needsMask: boolean
  /** Whether the copy may hold something but zero at some position without an output. */
  readonly fillsGaps: boolean
}

/** @returns all taps that some output reads an input through; at least one */
export function tapsOf(map: LinearMap, input: ChannelLayout, output: ChannelLayout): Tap[] {
  const grids = { input, from: elementsAt(input), to: elementsAt(output) }
  return usefulTaps(map, 0).flatMap((ky) => usefulTaps(map, 1).map((kx) => tapOf(map, [ky, kx], grids)))
}

interface Grids {
  readonly input: ChannelLayout
  /** Elements at the positions of input and output. */
  readonly from: Int32Array
  readonly to: Int32Array
}

function tapOf(map: LinearMap, tap: Pair, { input, from, to }: Grids): Tap {
  const { weight, factor } = weightsOf(map, tap)
  const count = from.length
  const [down, right] = [sourceOf(0, tap[0], 0, map.window), sourceOf(0, tap[1], 1, map.window)]
  const shift = down * input.rowStride + right * input.columnStride
  const step = ((shift % count) + count) % count
  const mask = new Float64Array(count)
  let needsMask = factor !== undefined
  let fillsGaps = false
  for (let p = 0; p < count; p++) {
    const place = to[p]! < 0 ? undefined : placeOf(map, to[p]!)
    if (place && readsInput(map, tap, place)) {
      mask[p] = factor ? factor(place) : 1
      continue
    }
    const isZero = input.gaps === 'zero' && from[(p + step) % count]! < 0
    if (isZero) continue
    if (place) needsMask = true
    else fillsGaps = true
  }
  return { step: step * input.images, weight, mask, needsMask, fillsGaps }
}

const placeOf = ({ output }: LinearMap, element: number): Pair => [Math.floor(element / output[2]), element % output[2]]

function readsInput({ input, window }: LinearMap, tap: Pair, place: Pair): boolean {
  return [0, 1].every((axis) => {
    const source = sourceOf(place[axis]!, tap[axis]!, axis as 0 | 1, window)
    return source >= 0 && source < input[axis + 1]!
  })
}

interface TapWeights {
  weight(o: number, c: number): number
  /** What the weights are multiplied with from place to place. */
  readonly factor?: (place: Pair) => number
}

/** A scalar per pair of channels; where weights depend on the place, alike for all channels, a factor per place. */
function weightsOf(map: LinearMap, [ky, kx]: Pair): TapWeights {
  const [, height, width] = map.output
  const places = Array.from({ length: height * width }, (_, i) => placeOf(map, i)).filter((place) =>
    readsInput(map, [ky, kx], place),
  )
  const at = (o: number, c: number, [y, x]: Pair): number => map.weight(o, c, ky, kx, y, x)
  const [first] = places as [Pair]
  if (!map.placed || everyLink(map, (o, c) => places.every((place) => at(o, c, place) === at(o, c, first))))
    return { weight: (o, c) => at(o, c, first) }
  if (everyLink(map, (o, c) => places.every((place) => at(o, c, place) === at(0, 0, place))))
    return { weight: () => 1, factor: (place) => at(0, 0, place) }
  throw new UnsupportedError(
    `layer "${map.name}" cannot run on a channel layout: its weights depend on the place differently for each channel: pack the input as multiplexed (one image) or batch (image = slot)`,
  )
}

function everyLink(map: LinearMap, test: (o: number, c: number) => boolean): boolean {
  const { inputs } = groupSizes(map)
  for (let o = 0; o < map.output[0]; o++) for (let c = 0; c < inputs; c++) if (!test(o, c)) return false
  return true
}
