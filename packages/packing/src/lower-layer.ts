/** The one door from clear layers to circuits. */
import { UnsupportedError } from '@he-ml/ckks-core'
import { type GraphLayer, ReadoutLayer } from '@he-ml/model'
import { lowerReadout } from './lower-readout.ts'
import { isLowerable, type LowerContext, type LoweredLayer } from './lowered-contract.ts'
import type { SlotLayout } from './slot-layout.ts'

/**
 * Lowers a layer, whatever its kind; the readout of a model over time, which is data of the model, too.
 * @throws UnsupportedError naming a layer that has no encrypted twin, or that cannot run on this layout
 */
export function lowerLayer(layer: GraphLayer, inputs: readonly SlotLayout[], context: LowerContext): LoweredLayer {
  if (isLowerable(layer)) return layer.lower(inputs, context)
  if (layer instanceof ReadoutLayer) return lowerReadout(layer, inputs)
  throw new UnsupportedError(
    `layer "${layer.name}" (${layer.kind}) has no encrypted form: expected a layer with a method lower, got one that only computes in the clear: put a layer of nn-layers or snn-layers in its place`,
  )
}
