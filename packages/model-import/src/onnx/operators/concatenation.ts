/** Concat of computed values along their first dimension after the batch: channels of images, or features. */
import { sizeOf } from '@he-ml/model'
import { concat } from '@he-ml/nn-layers'
import type { Translate } from '../operation.ts'
import { contiguous, isBatch, sizesOf } from '../view.ts'
import { axisOf } from './axes.ts'

export const concatenation: Translate = (op) => {
  if (!op.attributes.has('axis')) throw op.malformed('has no axis')
  const axis = op.attributes.int('axis', 0)
  const views = Array.from({ length: op.inputCount }, (_, i) => op.view(i))
  const [first] = views
  const rank = first!.dims.length
  const at = axisOf(op, axis, rank)
  const shapes = views.map((view) => sizesOf(view.dims))
  const fit = shapes.every((sizes) => sizes.length === rank && sizes.every((s, i) => i === at || s === shapes[0]![i]))
  if (!fit || views.some((view) => isBatch(view.dims[0]!) !== isBatch(first!.dims[0]!)))
    throw op.malformed(
      `joins values of shapes ${views.map((view) => op.describe(view)).join(' and ')} along axis ${axis}`,
    )
  if (views.length === 1) return op.emit(first!)
  if (at !== 1 || !views.every((view) => op.isBatchFirst(view)))
    throw op.unsupported(`it joins ${op.describe(first!)} along axis ${axis}`, 'join channels or features (axis 1)')
  const inner = shapes.map((sizes) => sizes.slice(1))
  const nodes = views.map((view, i) => op.materialise(view, inner[i]!.length === 3 ? inner[i]! : [sizeOf(inner[i]!)]))
  const node = op.context.graph.addLayer(concat({ name: op.name, inputs: nodes.length }), nodes)
  const joined = [inner.reduce((sum, [size]) => sum + size!, 0), ...inner[0]!.slice(1)]
  op.emit({ node, offset: 0, dims: [op.batchDim, ...contiguous(joined)] })
}
