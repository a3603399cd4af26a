/**
 * Window sums in place, without padding: rotate-and-add along rows, then along columns, on each ciphertext; no level. An average
 * is the same and one product with its factor, which is also the mask where gaps are to be zero: one level. A sum is masked, too, where
 * that lets the groups of a batch merge: behind the stride of an image.
 */
import { type Ciphertext, innerSum, type LazySlotValues, type Plaintext, scope } from '@he-ml/ckks-core'
import {
  type ChannelLayout,
  createLowered,
  type LowerContext,
  type LoweredLayer,
  type PrepareContext,
} from '@he-ml/packing'
import { type LinearMap, linearGain } from '../linear-map/linear-map.ts'
import { hasGaps, masksAt } from '../lowered/channel-positions.ts'
import { weightScale } from '../lowered/unit-weight.ts'
import { channelOutput } from './channel-output.ts'

/** @param map depthwise, without padding or dilation, all weights `factor` */
export function lowerChannelPool(
  map: LinearMap,
  factor: number,
  input: ChannelLayout,
  context: LowerContext,
): LoweredLayer {
  const place = channelOutput(map, input)
  const wantsMask = context.gaps !== 'any' && hasGaps(place)
  const merges = wantsMask && (context.groups ?? 1) > 1 && place.image[1] * place.image[2] > 1
  const isScaled = factor !== 1 || merges
  const isMasked = isScaled && wantsMask
  const isPoint = map.window.kernel.every((size) => size === 1)
  const gaps =
    isMasked || !hasGaps(place) ? 'zero' : isPoint && !isScaled && sameCount(place, input) ? input.gaps : 'any'
  return createLowered({
    name: map.name,
    inputs: [input],
    output: { ...place, gaps },
    depth: isScaled ? 1 : 0,
    errorGain: linearGain(map),
    prepare: async ({ engine, level, weights }: PrepareContext) => {
      const scale = isScaled ? weightScale(engine.parameters, level) : 1
      const encode = (values: LazySlotValues) => weights.use(engine.encode(values, { level, scale }))
      const masks = isMasked ? masksAt(place, factor, encode) : []
      return async ({ engine: runner, inputs, pacer, temporaries }) => {
        const results: Ciphertext[] = []
        for (const [i, channels] of inputs[0]!.entries()) {
          await pacer.step()
          const result = scope((use) => {
            const sum = use(windowSum(runner, channels, map, input))
            return isScaled ? runner.rescale(use(times(runner, sum, masks[i] ?? factor))) : sum
          })
          results.push(temporaries.use(result))
        }
        return results
      }
    },
  })
}

type Engine = PrepareContext['engine']

const times = (engine: Engine, a: Ciphertext, by: Plaintext | number): Ciphertext =>
  typeof by === 'number' ? engine.mulScalar(a, by) : engine.mulPlain(a, by)

const sameCount = (a: ChannelLayout, b: ChannelLayout): boolean => a.image.every((size, i) => size === b.image[i])

function windowSum(
  engine: Engine,
  channel: Ciphertext,
  { window }: LinearMap,
  { images, rowStride, columnStride }: ChannelLayout,
): Ciphertext {
  const [rows, columns] = window.kernel
  return scope((use) => {
    const across = use(innerSum(engine, channel, { count: columns, stride: columnStride * images }))
    return innerSum(engine, across, { count: rows, stride: rowStride * images })
  })
}
