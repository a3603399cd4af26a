/** Gemm, MatMul and BatchNormalization. */

import { createTensor, sizeOf, type Tensor } from '@he-ml/model'
import { conv2d, linear } from '@he-ml/nn-layers'
import type { Constant } from '../constant.ts'
import type { Operation, Translate } from '../operation.ts'
import { contiguous, dimSize, isBatch, type View } from '../view.ts'
import { channelValues } from './channel-values.ts'

export const gemm: Translate = (op) => {
  const alpha = op.attributes.float('alpha', 1)
  const beta = op.attributes.float('beta', 1)
  if (op.attributes.int('transA', 0) !== 0) throw op.unsupported('transA is set', 'put the batch dimension first')
  const view = op.view(0)
  if (view.dims.length !== 2 || !op.isBatchFirst(view))
    throw op.unsupported(`its input has shape ${op.describe(view)}`, 'put a Flatten before it')
  const weights = matrixOf(op, op.attributes.int('transB', 0) !== 0, alpha)
  const bias = op.has(2) ? { bias: biasOf(op, weights.shape[0]!, beta) } : {}
  const features = featuresOf(op, view, weights)
  op.emitLayer(linear({ name: op.name, weights, ...bias }), [op.materialise(view, [features])])
}

/** Rows of the value times the matrix: a linear layer, or a 1 x 1 convolution where there are many rows in an image. */
export const matMul: Translate = (op) => {
  if (op.isConstant(0)) throw op.unsupported('its first factor is a constant', 'write x @ W with the weights last')
  if (!op.isConstant(1)) throw op.unsupported('both its factors are computed', 'multiply by constant weights')
  const view = op.view(0)
  const last = view.dims.at(-1)
  if (!last) throw op.malformed('multiplies a scalar')
  if (isBatch(last)) throw op.unsupported('it multiplies along the batch', 'put the batch dimension first')
  const weights = matrixOf(op, false, 1)
  const features = featuresOf(op, view, weights)
  const rows = view.dims.slice(0, -1)
  const outer = rows.filter((d) => dimSize(d) > 1 && !isBatch(d)).map(dimSize)
  if (rows.some((d) => isBatch(d) && dimSize(d) > 1))
    throw op.unsupported(`its input has shape ${op.describe(view)}`, 'put the batch dimension first, by itself')
  const { graph } = op.context
  if (outer.length === 0) {
    const id = graph.addLayer(linear({ name: op.name, weights }), [op.materialise(view, [features])])
    op.emit({ node: id, offset: 0, dims: [...rows, contiguous(graph.node(id).shape)[0]!] })
    return
  }
  const image = outer.length === 2 ? outer : [sizeOf(outer), 1]
  const turned: View = { ...view, dims: [...rows.filter(isBatch), last, ...rows.filter((d) => !isBatch(d))] }
  const kernel = createTensor([...weights.shape, 1, 1], weights.data)
  const id = graph.addLayer(conv2d({ name: op.name, weights: kernel }), [op.materialise(turned, [features, ...image])])
  op.emit({ node: id, offset: 0, dims: rowsOf(rows, weights.shape[0]!) })
}

/** Dimensions [...rows, features] of a tensor that lies as [features, ...rows]. */
function rowsOf(rows: View['dims'], features: number): View['dims'] {
  const flat = contiguous([features, ...rows.map(dimSize)])
  return [...rows.map((d, i) => (isBatch(d) ? d : flat[i + 1]!)), flat[0]!]
}

export const batchNormalization: Translate = (op) => {
  const { attributes, context } = op
  const view = op.view(0)
  const dim = view.dims[1]
  if (!dim || isBatch(dim)) throw op.unsupported(`its input has shape ${op.describe(view)}`, 'put the batch first')
  const channels = dimSize(dim)
  const epsilon = attributes.float('epsilon', 1e-5)
  attributes.ignore('momentum')
  const perValue = attributes.int('spatial', 1) === 0 && view.dims.slice(2).some((d) => dimSize(d) > 1)
  if (perValue) throw op.unsupported('it has statistics of every pixel (spatial 0)', 'use statistics per channel')
  const more = op.outputs.length > 1
  if (attributes.int('training_mode', 0) !== 0 || (more && context.opset < 14))
    throw op.unsupported(
      `it is in training mode${more ? ` (${op.outputs.length} outputs)` : ''}, where the statistics come from the batch`,
      'export the model in evaluation mode',
    )
  const [scale, offset, mean, variance] = ['scale', 'B', 'mean', 'var'].map((what, i) => {
    const { data } = op.constant(i + 1, what)
    if (data.length !== channels) throw op.malformed(`has ${data.length} values of ${what} for ${channels} channels`)
    return data
  }) as [Float64Array, Float64Array, Float64Array, Float64Array]
  const multiplier = scale.map((s, c) => s / Math.sqrt(variance[c]! + epsilon))
  const shift = offset.map((b, c) => b - mean[c]! * multiplier[c]!)
  if (![...multiplier, ...shift].every(Number.isFinite))
    throw op.unsupported(
      'its numbers do not give a finite factor and summand per channel (a variance + epsilon that is not positive?)',
      'train again, or repair the statistics',
    )
  const alongChannels = (data: Float64Array): Constant => ({
    type: 'float64',
    dims: [channels, ...view.dims.slice(2).map(() => 1)],
    data,
  })
  const found = channelValues(op, view, [alongChannels(multiplier), alongChannels(shift)])
  const numbers = { multiplier: found.values[0]!, shift: found.values[1]! }
  op.emit({ ...found.view, node: context.graph.addAffine(op.name, found.id, numbers) })
}

function featuresOf(op: Operation, view: View, weights: Tensor): number {
  const features = dimSize(view.dims.at(-1)!)
  if (features !== weights.shape[1])
    throw op.malformed(`has weights for ${weights.shape[1]} features, its input ${op.describe(view)} has ${features}`)
  return features
}

/** [output features, input features]. */
function matrixOf(op: Operation, transposed: boolean, factor: number): Tensor {
  const { dims, data } = op.constant(1, 'weights')
  if (dims.length !== 2 || dims.some((d) => d < 1))
    throw op.unsupported(`its weights have shape [${dims}]`, 'multiply by one matrix that is not empty')
  const [rows, columns] = dims as [number, number]
  if (transposed)
    return createTensor(
      [rows, columns],
      data.map((w) => w * factor),
    )
  const turned = new Float64Array(data.length)
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) turned[j * rows + i] = factor * data[i * columns + j]!
  return createTensor([columns, rows], turned)
}

function biasOf(op: Operation, features: number, factor: number): Float64Array {
  const { dims, data } = op.constant(2, 'bias')
  if (data.length === 1 && dims.length <= 2) return new Float64Array(features).fill(factor * data[0]!)
  if (data.length !== features || dims[dims.length - 1] !== features || dims.length > 2)
    throw op.malformed(`has a bias of shape [${dims}] for ${features} features`)
  return data.map((b) => b * factor)
}
