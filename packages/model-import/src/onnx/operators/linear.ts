/** Gemm, MatMul and BatchNormalization. */
import { linear } from '@he-ml/nn-layers'
import { createTensor, type Tensor } from '@he-ml/packing'
import type { Operation, Translate } from '../operation.ts'

export const gemm: Translate = (op) => {
  const alpha = op.attributes.float('alpha', 1)
  const beta = op.attributes.float('beta', 1)
  if (op.attributes.int('transA', 0) !== 0) throw op.unsupported('transA is set', 'put the batch dimension first')
  const weights = matrixOf(op, op.attributes.int('transB', 0) !== 0, alpha)
  checkFeatures(op)
  const bias = op.has(2) ? { bias: biasOf(op, weights.shape[0]!, beta) } : {}
  op.addLayer(linear({ name: op.name, weights, ...bias }))
}

export const matMul: Translate = (op) => {
  if (op.isConstant(0)) throw op.unsupported('its first factor is a constant', 'write x @ W with the weights last')
  checkFeatures(op)
  op.addLayer(linear({ name: op.name, weights: matrixOf(op, false, 1) }))
}

export const batchNormalization: Translate = (op) => {
  const channels = op.shape(0)[0]!
  const epsilon = op.attributes.float('epsilon', 1e-5)
  op.attributes.ignore('momentum', 'spatial')
  if (op.attributes.int('training_mode', 0) !== 0)
    throw op.unsupported('it is in training mode', 'export the model in evaluation mode')
  const [scale, offset, mean, variance] = ['scale', 'B', 'mean', 'var'].map((what, i) => {
    const { data } = op.constant(i + 1, what)
    if (data.length !== channels) throw op.malformed(`has ${data.length} values of ${what} for ${channels} channels`)
    return data
  }) as [Float64Array, Float64Array, Float64Array, Float64Array]
  const multiplier = scale.map((s, c) => s / Math.sqrt(variance[c]! + epsilon))
  if (!multiplier.every(Number.isFinite)) throw op.malformed('has a variance + epsilon that is not positive')
  const shift = offset.map((b, c) => b - mean[c]! * multiplier[c]!)
  op.context.graph.addAffine(op.output, op.name, op.value(0), { multiplier, shift })
}

function checkFeatures(op: Operation): void {
  if (op.shape(0).length !== 1)
    throw op.unsupported(`its input has shape [batch,${op.shape(0)}]`, 'put a Flatten before it')
}

/** [output features, input features]. */
function matrixOf(op: Operation, transposed: boolean, factor: number): Tensor {
  const { dims, data } = op.constant(1, 'weights')
  if (dims.length !== 2 || dims.some((d) => d < 1))
    throw op.malformed(`has weights of shape [${dims}], expected a matrix`)
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
  if (data.length === 1) return new Float64Array(features).fill(factor * data[0]!)
  if (data.length !== features || dims[dims.length - 1] !== features)
    throw op.malformed(`has a bias of shape [${dims}] for ${features} features`)
  return data.map((b) => b * factor)
}
