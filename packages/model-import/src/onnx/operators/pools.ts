/** Average pooling, and maxima: over windows of one pixel, which are slices, and over larger ones, in rounds of pairs. */

import { createTensor } from '@he-ml/model'
import {
  ActivationLayer,
  averagePool2d,
  conv2d,
  globalAveragePool,
  maxPool2d,
  type Padding,
  type Pair,
} from '@he-ml/nn-layers'
import type { Operation, Translate } from '../operation.ts'
import { sliced } from './slices.ts'
import { addPadding, checkFits, foldablePad, kernelOf, paddingOf, pairOf, type WindowSize } from './window-options.ts'

export const averagePool: Translate = (op) => {
  const { id, shape } = op.image(0)
  const kernel = kernelOf(op)
  const stride = pairOf(op, 'strides', 1)
  if (pairOf(op, 'dilations', 1).some((d) => d !== 1))
    throw op.unsupported('it has dilations', 'pool without dilations')
  const size = { kernel, stride, dilation: [1, 1] as Pair }
  const own = paddingOf(op, shape, size)
  checkFits(op, shape, size, own)
  const counted = op.attributes.int('count_include_pad', 0) !== 0
  const ceilMode = ceilModeOf(op, shape, size)
  const bare = own.every((p) => p === 0)
  const pad = counted || bare ? foldablePad(op, id) : undefined
  const padding = pad ? addPadding(own, pad.padding) : own
  const countPadding = counted || pad !== undefined
  const source = pad ? pad.inputs[0]! : id
  if (!padding.some((p, side) => p >= kernel[side % 2]!)) {
    op.emitLayer(averagePool2d({ name: op.name, kernel, stride, padding, countPadding, ceilMode }), [source])
    return
  }
  if (!pad) throw op.unsupported(`its pads [${own}] are as wide as its window [${kernel}]`, 'use a Pad of its own')
  if (ceilMode) {
    // the pad stays a layer: only the pool knows which windows are partial
    op.emitLayer(averagePool2d({ name: op.name, kernel, stride, padding: own, countPadding: counted, ceilMode }), [id])
    return
  }
  op.emitLayer(meanConvolution(op, size, padding, shape[0]), [source])
}

/** SAME ends with whole windows anyway; what VALID means with ceil_mode is not said everywhere alike. */
function ceilModeOf(op: Operation, image: readonly number[], { kernel, stride }: WindowSize): boolean {
  if (op.attributes.int('ceil_mode', 0) === 0) return false
  const mode = op.attributes.string('auto_pad', 'NOTSET')
  if (mode === 'VALID' && [0, 1].some((a) => (image[a + 1]! - kernel[a]!) % stride[a]! !== 0))
    throw op.unsupported('it has ceil_mode with auto_pad VALID and a partial window', 'use pads of 0')
  return mode === 'NOTSET' || mode === ''
}

/** Windows that may hold nothing but zeros: a convolution of equal weights. */
function meanConvolution(op: Operation, { kernel, stride }: WindowSize, padding: Padding, channels: number) {
  const weight = 1 / (kernel[0] * kernel[1])
  const weights = createTensor(
    [channels, 1, ...kernel],
    new Float64Array(channels * kernel[0] * kernel[1]).fill(weight),
  )
  return conv2d({ name: op.name, weights, stride, padding, groups: channels })
}

export const globalAverage: Translate = (op) => {
  const { id } = op.image(0)
  op.emitLayer(globalAveragePool({ name: op.name }), [id])
}

export const maxPool: Translate = (op) => {
  const kernel = kernelOf(op)
  const stride = pairOf(op, 'strides', 1)
  op.attributes.ignore('storage_order')
  if (op.outputs.length > 1)
    throw op.unsupported('it tells where the maxima are', 'export it without its second output')
  const view = op.view(0)
  if (view.dims.length !== 4) throw op.unsupported(`its input has shape ${op.describe(view)}`, 'pool images only')
  const { shape } = op.image(0)
  const dilation = pairOf(op, 'dilations', 1)
  if (kernel.some((k, a) => k > 1 && dilation[a]! > 1))
    throw op.unsupported('it has dilations', 'pool without dilations')
  const size = { kernel, stride, dilation: [1, 1] as Pair }
  const padding = paddingOf(op, shape, size)
  checkFits(op, shape, size, padding)
  const sizes = [0, 1].map((a) => shape[a + 1]! + padding[a]! + padding[a + 2]! - kernel[a]!)
  if (op.attributes.int('ceil_mode', 0) !== 0 && sizes.some((rest, a) => rest % stride[a]! !== 0))
    throw op.unsupported('ceil_mode adds a partial window', 'set ceil_mode to 0')
  const isPadded = padding.some((p) => p !== 0)
  if (kernel.every((k) => k === 1) && !isPadded) {
    const axis = (a: 0 | 1) => ({ start: 0, count: Math.ceil(shape[a + 1]! / stride[a]!), step: stride[a]! })
    op.emit(sliced(op, view, new Map([2, 3].map((a) => [a, axis((a - 2) as 0 | 1)]))))
  } else emitRounds(op, size, isPadded ? padded(op, padding) : op.image(0).id)
}

/** Zeros around values that are none of them negative never are the largest alone. @throws UnsupportedError for other values */
function padded(op: Operation, padding: Padding): string {
  const { graph } = op.context
  const { id, shape } = op.image(0)
  const node = graph.node(id)
  const [channels, height, width] = shape
  if (!(node.kind === 'layer' && node.layer instanceof ActivationLayer && node.layer.function === 'relu'))
    throw op.unsupported(
      `its pads [${padding}] stand for values below all others`,
      'put a Relu right before it, after which zeros are that, or pool without pads',
    )
  const [top, left, bottom, right] = padding
  return graph.add({
    kind: 'pad',
    name: graph.uniqueName(`${op.name}_pad`),
    inputs: [id],
    shape: [channels, height + top + bottom, width + left + right],
    padding,
    channels: [0, 0],
    stride: [1, 1],
  })
}

function emitRounds(op: Operation, { kernel, stride }: WindowSize, source: string): void {
  const { graph } = op.context
  const { name } = op
  const ids = new Map([['', source]])
  const nodes = maxPool2d({ name, input: '', shape: graph.node(source).shape, kernel, stride })
  for (const { layer, inputs } of nodes) {
    if (layer.name !== name && graph.uniqueName(layer.name) !== layer.name)
      throw op.unsupported(`it becomes several layers, and a node is called "${layer.name}"`, 'give that another name')
    ids.set(
      layer.name,
      graph.addLayer(
        layer,
        inputs.map((input) => ids.get(input)!),
      ),
    )
  }
  op.emit(op.fresh(ids.get(name)!))
}
