import { UnsupportedError } from '@he-ml/ckks-core'
import { isMultiOutput, type Layer, type ModelNode } from '@he-ml/model'

/** The node's layer, if it has one output. @throws UnsupportedError naming the node otherwise */
export function withOneOutput({ name, layer }: ModelNode): Layer {
  if (!isMultiOutput(layer)) return layer
  throw new UnsupportedError(
    `layer "${name}" (${layer.kind}) has ${layer.outputs.length} outputs, and the pipeline runs layers with one`,
  )
}
