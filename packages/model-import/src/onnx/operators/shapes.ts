/** Operators that only rename, and constants. */
import { type ActivationLayerFunction, activation, flatten, reshape } from '@he-ml/nn-layers'
import { type Shape, sameShape, sizeOf } from '@he-ml/packing'
import type { Operation, Translate } from '../operation.ts'

export const activationOf =
  (fn: ActivationLayerFunction): Translate =>
  (op) => {
    if (fn === 'gelu' && op.attributes.string('approximate', 'none') !== 'none')
      throw op.unsupported('it is the tanh form of GELU', 'export the exact GELU (approximate "none")')
    op.addLayer(activation({ name: op.name, function: fn }))
  }

export const erf: Translate = (op) => {
  const inputs = [op.context.graph.resolve(op.value(0))]
  op.context.graph.set(op.output, { kind: 'erf', name: op.name, inputs, shape: op.shape(0) })
}

export const identityOf: Translate = (op) => {
  if (op.isConstant(0)) op.context.constants.set(op.output, op.constant(0, 'value'))
  else op.context.graph.alias(op.output, op.value(0))
}

export const dropout: Translate = (op) => {
  op.attributes.ignore('ratio', 'seed', 'is_test')
  if (op.has(2) && op.constant(2, 'training_mode').data[0] !== 0)
    throw op.unsupported('it is in training mode', 'export the model in evaluation mode')
  op.context.graph.alias(op.output, op.value(0))
}

export const constantOf: Translate = (op) => {
  const { attributes } = op
  const list = attributes.floats('value_floats') ?? attributes.ints('value_ints')
  const tensor = attributes.tensor('value')
  const one = attributes.has('value_int') ? attributes.int('value_int', 0) : undefined
  const single = one ?? (attributes.has('value_float') ? attributes.float('value_float', 0) : undefined)
  const { constants } = op.context
  if (tensor) constants.set(op.output, tensor)
  else if (list) constants.set(op.output, { dims: [list.length], data: Float64Array.from(list) })
  else if (single !== undefined) constants.set(op.output, { dims: [], data: Float64Array.of(single) })
  else
    throw op.unsupported('it holds neither numbers nor a tensor of them', 'use value, value_float(s) or value_int(s)')
}

export const flattenOf: Translate = (op) => {
  const rank = op.shape(0).length + 1
  const axis = op.attributes.int('axis', 1)
  if (axis !== 1 && axis !== 1 - rank)
    throw op.unsupported(`its axis is ${axis}`, 'keep the batch dimension and flatten the rest (axis 1)')
  to(op, [sizeOf(op.shape(0))])
}

export const reshapeOf: Translate = (op) => {
  const target = op.has(1) ? [...op.constant(1, 'target shape').data] : op.attributes.ints('shape')
  const zeroes = op.attributes.int('allowzero', 0) !== 0
  const from = op.shape(0)
  if (!target || target.length < 2 || target.some((d) => !Number.isSafeInteger(d) || d < -1))
    throw op.unsupported(`its target shape is [${target ?? ''}]`, 'keep the batch dimension first')
  const rest = target.slice(1).map((d, i) => (d === 0 && !zeroes ? (from[i] ?? 0) : d))
  const known = rest.filter((d) => d !== -1).reduce((product, d) => product * d, 1)
  const open = rest.filter((d) => d === -1).length
  const shape = rest.map((d) => (d === -1 ? sizeOf(from) / known : d))
  const batch = target[0]!
  const keepsBatch = batch === 0 || batch === 1 || batch === op.context.batch || (batch === -1 && open === 0)
  if (!keepsBatch || open > 1 || shape.some((d) => !Number.isInteger(d) || d < 1) || sizeOf(shape) !== sizeOf(from))
    throw op.unsupported(
      `its target [${target}] does not keep the batch dimension of [batch,${from}]`,
      'reshape within one image, for example to [batch, -1]',
    )
  to(op, shape)
}

export const squeeze: Translate = (op) => {
  const from = op.shape(0)
  const given = op.has(1) ? [...op.constant(1, 'axes').data] : op.attributes.ints('axes')
  if (!given) throw op.unsupported('it names no axes', 'name the axes to remove')
  const axes = given.map((a) => (a < 0 ? a + from.length + 1 : a) - 1)
  if (axes.some((a) => from[a] !== 1) || axes.length >= from.length)
    throw op.unsupported(
      `its axes [${given}] of [batch,${from}] are not of size 1`,
      'squeeze height and width of size 1',
    )
  to(
    op,
    from.filter((_, i) => !axes.includes(i)),
  )
}

function to(op: Operation, shape: Shape): void {
  if (sameShape(shape, op.shape(0))) op.context.graph.alias(op.output, op.value(0))
  else op.addLayer(shape.length === 1 ? flatten({ name: op.name }) : reshape({ name: op.name, shape }))
}
