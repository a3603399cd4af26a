/** Activations, and the other spellings of ReLU. */
import {
  type ActivationFunction,
  type ActivationLayerFunction,
  activation,
  clip as clipTo,
  elu,
  hardSigmoid,
  leakyRelu,
  prelu as preluLayer,
} from '@he-ml/nn-layers'
import type { Operation, Translate } from '../operation.ts'
import type { View } from '../view.ts'
import { channelValues } from './channel-values.ts'
import { inPlace } from './in-place.ts'

export const activationOf =
  (fn: ActivationLayerFunction): Translate =>
  (op) => {
    if (fn === 'gelu' && op.attributes.string('approximate', 'none') !== 'none')
      throw op.unsupported('it is the tanh form of GELU', 'export the exact GELU (approximate "none")')
    emitActivation(op, op.view(0), fn)
  }

export const erf: Translate = (op) => {
  const { graph } = op.context
  const { view, id } = inPlace(op, op.view(0))
  op.emit({ ...view, node: graph.add({ kind: 'erf', name: op.name, inputs: [id], shape: graph.node(id).shape }) })
}

/** An activation by its parameters, which are attributes. */
const withParameters =
  (make: (attribute: (name: string, otherwise: number) => number) => ActivationFunction): Translate =>
  (op) =>
    emitActivation(
      op,
      op.view(0),
      make((name, otherwise) => op.attributes.float(name, otherwise)),
    )

export const leaky = withParameters((attribute) => leakyRelu(attribute('alpha', 0.01)))
export const exponential = withParameters((attribute) => elu(attribute('alpha', 1)))
/** With 1/6, whatever its rounding, the one of HardSwish. */
export const hard = withParameters((attribute) => {
  const [alpha, beta] = [attribute('alpha', 0.2), attribute('beta', 0.5)]
  return Math.abs(alpha - 1 / 6) < 1e-6 && beta === 0.5 ? hardSigmoid() : hardSigmoid(alpha, beta)
})

/** A slope for all, or for each channel. */
export const prelu: Translate = (op) => {
  const slope = op.constant(1, 'slope')
  if (slope.data.length === 0) throw op.malformed('has no slopes')
  const { id, view, values } = channelValues(op, op.view(0), [slope])
  const [slopes] = values as [Float64Array]
  if (slopes.every((a) => a === 1)) return op.emit(view)
  const same = slopes.every((a) => a === slopes[0])
  const layer = preluLayer({ name: op.name, slopes: same ? slopes.subarray(0, 1) : slopes })
  op.emit({ ...view, node: op.context.graph.addLayer(layer, [id]) })
}

/** Between two bounds; from 0 without an upper end it is a ReLU. */
export const clip: Translate = (op) => {
  const [low, high] = bounds(op)
  if (low === -Infinity && high === Infinity) op.emit(op.view(0))
  else if (low === 0 && high === Infinity) emitActivation(op, op.view(0), 'relu')
  else if (low < high) emitActivation(op, op.view(0), clipTo(low, high))
  else throw op.unsupported(`it clips to [${low}, ${high}], which leaves one value`, 'use bounds in ascending order')
}

function bounds(op: Operation): [number, number] {
  const { attributes } = op
  // beyond what the type can hold there is no bound; float16 ends at 65504
  const open = (value: number, type = 'float32') =>
    Math.abs(value) >= (type === 'float16' ? 65504 : 3.4028234e38) ? Math.sign(value) * Infinity : value
  const input = (index: number, what: string, otherwise: number) => {
    if (!op.has(index)) return otherwise
    const { data, type } = op.constant(index, what)
    if (data.length !== 1) throw op.malformed(`has ${data.length} values of ${what}, expected one`)
    return open(data[0]!, type)
  }
  if (op.context.opset < 11) return [open(attributes.float('min', -Infinity)), open(attributes.float('max', Infinity))]
  return [input(1, 'min', -Infinity), input(2, 'max', Infinity)]
}

/** The larger of one value and zeros. */
export const maximum: Translate = (op) => {
  const views: View[] = []
  let zeros = 0
  for (let i = 0; i < op.inputCount; i++) {
    if (!op.isConstant(i)) views.push(op.view(i))
    else {
      const { data, dims } = op.constant(i, 'bound')
      if (data.some((v) => v !== 0) || data.length === 0)
        throw op.unsupported(`its input ${i} is a constant other than 0`, 'use Relu, or Max with 0')
      if (dims.some((d) => d !== 1)) throw op.unsupported(`its zeros have shape [${dims}]`, 'use Max with one 0')
      zeros++
    }
  }
  if (views.length !== 1)
    throw op.unsupported(`it compares ${views.length} computed values`, 'use Relu, or Max of one value with 0')
  if (zeros === 0) op.emit(views[0]!)
  else emitActivation(op, views[0]!, 'relu')
}

export function emitActivation(op: Operation, from: View, fn: ActivationLayerFunction): void {
  const { view, id } = inPlace(op, from)
  op.emit({ ...view, node: op.context.graph.addLayer(activation({ name: op.name, function: fn }), [id]) })
}
