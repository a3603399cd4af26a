/** Sums and products: residual additions, constants per channel, squares, and the products inside SiLU and GELU. */
import { activation, add } from '@he-ml/nn-layers'
import type { Operation, Translate } from '../operation.ts'
import type { Constant } from '../tensor-data.ts'

export const addition: Translate = (op) => {
  const at = constantSide(op)
  if (at === undefined) op.addLayer(add({ name: op.name }), [op.value(0), op.value(1)])
  else affine(op, 1 - at, { multiplier: 1, shift: op.constant(at, 'summand') })
}

export const subtraction: Translate = (op) => {
  const at = constantSide(op)
  if (at === 1) affine(op, 0, { multiplier: 1, shift: negated(op.constant(1, 'subtrahend')) })
  else if (at === 0) affine(op, 1, { multiplier: -1, shift: op.constant(0, 'minuend') })
  else {
    const minus = `${op.output}#minus`
    const channels = op.shape(1)[0]!
    const { graph } = op.context
    const numbers = { multiplier: new Float64Array(channels).fill(-1), shift: new Float64Array(channels) }
    graph.addAffine(minus, graph.uniqueName(`${op.name}_minus`), op.value(1), numbers)
    op.addLayer(add({ name: op.name }), [op.value(0), minus])
  }
}

export const negation: Translate = (op) => affine(op, 0, { multiplier: -1, shift: 0 })

export const division: Translate = (op) => {
  if (constantSide(op) !== 1) throw op.unsupported('it divides by a computed value', 'divide by constants only')
  const divisor = op.constant(1, 'divisor')
  if (divisor.data.some((d) => d === 0)) throw op.malformed('divides by zero')
  affine(op, 0, { multiplier: { dims: divisor.dims, data: divisor.data.map((d) => 1 / d) }, shift: 0 })
}

export const power: Translate = (op) => {
  const exponent = op.constant(1, 'exponent')
  if (exponent.data.length !== 1) throw op.unsupported(`it has ${exponent.data.length} exponents`, 'use one')
  if (exponent.data[0] === 1) op.context.graph.alias(op.output, op.value(0))
  else if (exponent.data[0] === 2) op.addLayer(activation({ name: op.name, function: 'square' }))
  else throw op.unsupported(`its exponent is ${exponent.data[0]}`, 'use squares (exponent 2)')
}

export const product: Translate = (op) => {
  const at = constantSide(op)
  if (at !== undefined) {
    affine(op, 1 - at, { multiplier: op.constant(at, 'factor'), shift: 0 })
    return
  }
  const { graph } = op.context
  const [a, b] = [graph.resolve(op.value(0)), graph.resolve(op.value(1))]
  if (a === b) op.addLayer(activation({ name: op.name, function: 'square' }), [a])
  else if (isSigmoidOf(op, b, a)) op.addLayer(activation({ name: op.name, function: 'silu' }), [a])
  else if (isSigmoidOf(op, a, b)) op.addLayer(activation({ name: op.name, function: 'silu' }), [b])
  else if (!gelu(op, a, b) && !gelu(op, b, a))
    throw op.unsupported(
      'it multiplies two different computed values',
      'use squares (x * x), SiLU (x * sigmoid(x)) or GELU, or multiply by constants',
    )
}

function isSigmoidOf(op: Operation, candidate: string, x: string): boolean {
  const node = op.context.graph.node(candidate)
  if (node?.kind !== 'layer' || node.inputs[0] !== x) return false
  return 'function' in node.layer && node.layer.function === 'sigmoid'
}

/** (s x) * a (1 + erf(x / sqrt 2)) = 2 a s gelu(x). */
function gelu(op: Operation, factor: string, gate: string): boolean {
  const { graph } = op.context
  const outer = graph.node(gate)
  if (outer?.kind !== 'affine') return false
  const erf = graph.node(outer.inputs[0]!)
  if (erf?.kind !== 'erf') return false
  const inner = graph.node(erf.inputs[0]!)
  if (inner?.kind !== 'affine') return false
  const x = inner.inputs[0]!
  const a = outer.multiplier[0]!
  const near = (values: Float64Array, wanted: number) =>
    values.every((v) => Math.abs(v - wanted) < 1e-5 * Math.abs(a) + 1e-9)
  if (!near(inner.multiplier, Math.SQRT1_2) || inner.shift.some((s) => s !== 0)) return false
  if (!near(outer.multiplier, a) || !near(outer.shift, a)) return false
  let scale = 1
  if (factor !== x) {
    const scaled = graph.node(factor)
    if (scaled?.kind !== 'affine' || scaled.inputs[0] !== x || scaled.shift.some((s) => s !== 0)) return false
    scale = scaled.multiplier[0]!
    if (scaled.multiplier.some((m) => m !== scale)) return false
  }
  const core = `${op.output}#gelu`
  graph.addLayer(core, activation({ name: op.name, function: 'gelu' }), [x])
  const multiplier = new Float64Array(graph.node(core)!.shape[0]!).fill(2 * a * scale)
  const numbers = { multiplier, shift: new Float64Array(multiplier.length) }
  graph.addAffine(op.output, graph.uniqueName(`${op.name}_scale`), core, numbers)
  return true
}

/** Which of the two inputs is a constant. @throws UnsupportedError when both are */
function constantSide(op: Operation): 0 | 1 | undefined {
  if (op.inputCount !== 2) throw op.malformed(`has ${op.inputCount} inputs, expected two`)
  if (op.isConstant(0) && op.isConstant(1))
    throw op.unsupported('both its inputs are constants', 'fold constants before the export')
  if (op.isConstant(0)) return 0
  return op.isConstant(1) ? 1 : undefined
}

const negated = ({ dims, data }: Constant): Constant => ({ dims, data: data.map((v) => -v) })

function affine(
  op: Operation,
  input: number,
  { multiplier, shift }: { multiplier: number | Constant; shift: number | Constant },
): void {
  const shape = op.shape(input)
  const spread = (value: number | Constant) =>
    typeof value === 'number' ? new Float64Array(shape[0]!).fill(value) : perChannel(op, shape, value)
  const numbers = { multiplier: spread(multiplier), shift: spread(shift) }
  op.context.graph.addAffine(op.output, op.name, op.value(input), numbers)
}

/** A constant that is broadcast to [batch, ...shape] and depends on the channel (or feature) only. */
function perChannel(op: Operation, shape: readonly number[], { dims, data }: Constant): Float64Array {
  const channels = shape[0]!
  if (data.length === 1) return new Float64Array(channels).fill(data[0]!)
  if (dims[dims.length - shape.length] === channels && data.length === channels) return data.slice()
  throw op.unsupported(
    `its constant of shape [${dims}] is neither one number nor one per channel of [batch,${shape}]`,
    'use one value per channel',
  )
}
