import { UnsupportedError } from '@he-ml/ckks-core'
import { sizeOf } from '@he-ml/model'
import type { LowerContext, LoweredLayer, SlotLayout } from '@he-ml/packing'
import { lowerBatchLinear } from '../batch/lower-batch-linear.ts'
import { lowerChannelLinear } from '../channel/lower-channel-linear.ts'
import { onImage } from '../channel/on-image.ts'
import type { LinearMap } from '../linear-map/linear-map.ts'
import { unsupportedLayout } from '../lowered/unsupported-layout.ts'
import { lowerTransform } from '../multiplexed/lower-transform.ts'

/** A linear map on whatever layout it meets. @throws UnsupportedError naming the layer and the layouts that would do */
export function lowerLinear(map: LinearMap, input: SlotLayout | undefined, context: LowerContext): LoweredLayer {
  if (input && sizeOf(input.shape) !== sizeOf(map.input))
    throw new UnsupportedError(
      `layer "${map.name}": made for [${map.input}], got a layout of [${input.shape}]: lower it on its input's layout`,
    )
  if (input?.kind === 'multiplexed') return lowerTransform(map, input, context)
  if (input?.kind === 'batch') return lowerBatchLinear(map, input)
  if (input?.kind === 'channel') return lowerChannelLinear(onImage(map, input), input, context)
  throw unsupportedLayout(map.name, input)
}
