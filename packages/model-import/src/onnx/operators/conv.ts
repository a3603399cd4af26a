/** Convolution. */

import { createTensor } from '@he-ml/model'
import { conv2d, type Padding } from '@he-ml/nn-layers'
import type { Translate } from '../operation.ts'
import { addPadding, checkFits, foldablePad, kernelOf, paddingOf, pairOf } from './window-options.ts'

export const conv: Translate = (op) => {
  const { id, shape } = op.image(0)
  const { dims, data } = op.constant(1, 'weights')
  if (dims.length !== 4) throw op.malformed(`has weights of shape [${dims}] for an image: expected four dimensions`)
  if (dims.some((d) => d < 1)) throw op.unsupported(`its weights of shape [${dims}] are empty`, 'leave it out')
  const kernel = kernelOf(op, [dims[2]!, dims[3]!])
  const stride = pairOf(op, 'strides', 1)
  const dilation = pairOf(op, 'dilations', 1)
  const own = paddingOf(op, shape, { kernel, stride, dilation })
  checkFits(op, shape, { kernel, stride, dilation }, own)
  const groups = op.attributes.int('group', 1)
  if (groups < 1 || dims[0]! % groups !== 0 || dims[1]! * groups !== shape[0])
    throw op.malformed(`has weights of shape [${dims}] in ${groups} groups, its input has ${shape[0]} channels`)
  const bias = op.has(2) ? { bias: op.constant(2, 'bias').data } : {}
  if (bias.bias && bias.bias.length !== dims[0])
    throw op.malformed(`has a bias of ${bias.bias.length} values for ${dims[0]} channels`)
  const pad = foldablePad(op, id)
  const padding: Padding = pad ? addPadding(own, pad.padding) : own
  const weights = createTensor(dims, data)
  op.emitLayer(conv2d({ name: op.name, weights, stride, dilation, padding, groups, ...bias }), [
    pad ? pad.inputs[0]! : id,
  ])
}
