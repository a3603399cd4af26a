/** Sums and products: residual additions, constants per channel, squares, and the products inside SiLU and GELU. */
import { activation, add, hardSigmoid } from '@he-ml/nn-layers'
import type { Constant } from '../constant.ts'
import type { Operation, Translate } from '../operation.ts'
import { dimSize, isBatch, sameWalk, type View } from '../view.ts'
import { emitActivation } from './activations.ts'
import { channelValues } from './channel-values.ts'
import { copied, inPlace } from './in-place.ts'
import { functionOf, gelu } from './products.ts'
import { quadraticOf, quadraticSum } from './quadratics.ts'

const number = (value: number): Constant => ({ type: 'float64', dims: [], data: Float64Array.of(value) })
const ZERO = number(0)
const ONE = number(1)

/** Add and Sum: of any number of values and constants. */
export const addition: Translate = (op) => {
  let total: View | undefined
  const constants: Constant[] = []
  for (let i = 0; i < op.inputCount; i++) {
    if (op.isConstant(i)) constants.push(op.constant(i, 'summand'))
    else total = total ? sum(op, total, op.view(i)) : op.view(i)
  }
  if (op.type === 'Sum' && op.context.opset < 8)
    for (const { dims } of constants)
      if (dims.length !== total!.dims.length)
        throw op.malformed(
          `adds a constant of shape [${dims}] to ${op.describe(total!)}: before operator set 8 shapes must be equal`,
        )
  for (const shift of constants) total = affine(op, total!, ONE, shift)
  op.emit(total!)
}

export const subtraction: Translate = (op) => {
  if (op.isConstant(1)) op.emit(affine(op, op.view(0), ONE, negated(op.constant(1, 'subtrahend'))))
  else if (op.isConstant(0)) op.emit(affine(op, op.view(1), number(-1), op.constant(0, 'minuend')))
  else op.emit(sum(op, op.view(0), affine(op, op.view(1), number(-1), ZERO)))
}

export const negation: Translate = (op) => op.emit(affine(op, op.view(0), number(-1), ZERO))

export const division: Translate = (op) => {
  if (!op.isConstant(1)) throw op.unsupported('it divides by a computed value', 'divide by constants only')
  const divisor = op.constant(1, 'divisor')
  if (divisor.data.some((d) => d === 0))
    throw op.unsupported('it divides by zero, which gives no finite number', 'divide by numbers other than 0')
  op.emit(affine(op, op.view(0), { ...divisor, data: divisor.data.map((d) => 1 / d) }, ZERO))
}

export const power: Translate = (op) => {
  const exponent = op.constant(1, 'exponent')
  if (exponent.data.length !== 1) throw op.unsupported(`it has ${exponent.data.length} exponents`, 'use one')
  if (exponent.dims.length > op.view(0).dims.length)
    throw op.unsupported(`its exponent has shape [${exponent.dims}]`, 'use a scalar')
  if (exponent.data[0] === 1) op.emit(op.view(0))
  else if (exponent.data[0] === 2) emitActivation(op, op.view(0), 'square')
  else throw op.unsupported(`its exponent is ${exponent.data[0]}`, 'use squares (exponent 2)')
}

export const product: Translate = (op) => {
  for (const at of [0, 1])
    if (op.isConstant(at)) {
      op.emit(affine(op, op.view(1 - at), op.constant(at, 'factor'), ZERO))
      return
    }
  const { graph } = op.context
  const { view, a, b } = together(op, op.view(0), op.view(1))
  const emit = (id: string) => op.emit({ ...view, node: id })
  const layer = (fn: 'square' | 'silu' | 'hardSwish', x: string) =>
    emit(graph.addLayer(activation({ name: op.name, function: fn }), [x]))
  if (a === b) return layer('square', a)
  for (const [gate, x] of [
    [b, a],
    [a, b],
  ] as const) {
    const fn = functionOf(graph, gate, x)
    if (fn === 'sigmoid') return layer('silu', x)
    if (fn === hardSigmoid().name) return layer('hardSwish', x)
  }
  const found = gelu(op, a, b) ?? gelu(op, b, a)
  if (found === undefined)
    throw op.unsupported(
      'it multiplies two different computed values',
      'use squares (x * x), SiLU (x * sigmoid(x)), HardSwish or GELU, or multiply by constants',
    )
  emit(found)
}

function sum(op: Operation, x: View, y: View): View {
  const { view, a, b } = together(op, x, y)
  const found = quadraticSum(op.context.graph, a, b, () => nameOf(op))
  if (found !== undefined) return { ...view, node: found }
  return { ...view, node: op.context.graph.addLayer(add({ name: nameOf(op) }), [a, b]) }
}

/** The first layer of a node bears its name, the others one made of it. */
const taken = new WeakSet<Operation>()
function nameOf(op: Operation): string {
  if (!taken.has(op)) {
    taken.add(op)
    return op.name
  }
  return op.context.graph.uniqueName(op.name)
}

/** Two values of one shape in nodes of one order. */
function together(op: Operation, x: View, y: View): { readonly view: View; readonly a: string; readonly b: string } {
  const [left, right] = [x, y].map((v) => v.dims.map((d) => (isBatch(d) ? -dimSize(d) : dimSize(d))).join())
  if (left !== right)
    throw op.unsupported(
      `its computed inputs have shapes ${op.describe(x)} and ${op.describe(y)}`,
      'combine values of one shape',
    )
  const [p, q] = [inPlace(op, x), inPlace(op, y)]
  const { graph } = op.context
  if (sameWalk(p.view, q.view) && `${graph.node(p.id).shape}` === `${graph.node(q.id).shape}`)
    return { view: p.view, a: p.id, b: q.id }
  const [r, s] = [copied(op, x), copied(op, y)]
  return { view: r.view, a: r.id, b: s.id }
}

const negated = (constant: Constant): Constant => ({ ...constant, data: constant.data.map((v) => -v) })

/** multiplier * x + shift. */
function affine(op: Operation, from: View, multiplier: Constant, shift: Constant): View {
  const { id, view, values } = channelValues(op, from, [finite(op, multiplier), finite(op, shift)])
  const numbers = { multiplier: values[0]!, shift: values[1]! }
  const found = quadraticOf(op.context.graph, id, numbers, () => nameOf(op))
  if (found !== undefined) return { ...view, node: found }
  return { ...view, node: op.context.graph.addAffine(nameOf(op), id, numbers) }
}

function finite(op: Operation, constant: Constant): Constant {
  if (constant.batch) throw op.unsupported('it computes with the batch size', 'fix the batch size')
  const at = constant.data.findIndex((v) => !Number.isFinite(v))
  if (at < 0) return constant
  throw op.unsupported(`its constant holds ${constant.data[at]}, which no ciphertext can`, 'use finite numbers')
}
