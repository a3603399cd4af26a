/** The steps that random graphs are made of; undefined where a step does not fit the value. */
import { bent } from './random-activations.ts'
import type { Sketch, Value } from './random-graphs.ts'
import { MOVES } from './random-moves.ts'
import { weightsOf } from './random-weights.ts'

export type Step = (s: Sketch, v: Value) => Value | undefined

const isImage = ({ dims }: Value) => dims.length === 4

const conv: Step = (s, v) => {
  if (!isImage(v)) return undefined
  const [, channels, height, width] = v.dims as [number, number, number, number]
  const group = channels % 2 === 0 && s.chance(0.3) ? 2 : 1
  const kernel = [s.int(1, 3), s.int(1, 3)]
  const strides = [s.int(1, 2), s.int(1, 2)]
  const dilations = [s.int(1, 2), 1]
  const same = dilations[0] === 1 && s.chance(0.3)
  const pads = same ? [0, 0, 0, 0] : [0, 1, 2, 3].map(() => s.int(0, 2))
  const out = group * s.int(1, 3)
  const size = [height, width].map((n, a) => {
    if (same) return Math.ceil(n / strides[a]!)
    return Math.floor((n + pads[a]! + pads[a + 2]! - dilations[a]! * (kernel[a]! - 1) - 1) / strides[a]!) + 1
  })
  if (size.some((n) => n < 1)) return undefined
  const weights = weightsOf(s, [out, channels / group, ...kernel])
  const bias = s.chance(0.5) ? [s.constant(s.numbers([out]))] : []
  const padding = same ? { auto_pad: s.pick(['SAME_UPPER', 'SAME_LOWER']) } : { pads }
  const name = s.node('Conv', [v.name, weights, ...bias], { strides, dilations, group, ...padding })
  return s.value(name, [1, out, ...size])
}

const norm: Step = (s, v) => {
  if (v.dims.length < 2) return undefined
  const channels = v.dims[1]!
  const parts = [0, 1, 2].map(() => s.constant(s.numbers([channels])))
  const variance = s.constant({ dims: [channels], data: Array.from({ length: channels }, (_, i) => 0.5 + i / 3) })
  const epsilon = s.chance(0.5) ? { epsilon: { float: 0.01 } } : undefined
  return s.value(s.node('BatchNormalization', [v.name, ...parts, variance], epsilon), v.dims)
}

const scalar = (s: Sketch, value: number) => s.constant({ dims: [], data: [value] })

const relu: Step = (s, v) => {
  const form = s.int(0, 2)
  if (form === 0) return s.value(s.node('Relu', [v.name]), v.dims)
  if (form === 1 && s.opset >= 8) {
    const inputs = s.chance(0.5) ? [v.name, scalar(s, 0)] : [scalar(s, 0), v.name]
    return s.value(s.node('Max', inputs), v.dims)
  }
  const name = s.opset < 11 ? s.node('Clip', [v.name], { min: { float: 0 } }) : s.node('Clip', [v.name, scalar(s, 0)])
  return s.value(name, v.dims)
}

const smooth: Step = (s, v) => {
  const form = s.int(0, 4)
  if (form === 0) return s.value(s.node('Tanh', [v.name]), v.dims)
  const sigmoid = form <= 2 ? s.node('Sigmoid', [v.name]) : ''
  if (form === 1) return s.value(sigmoid, v.dims)
  if (form === 2) return s.value(s.node('Mul', s.chance(0.5) ? [v.name, sigmoid] : [sigmoid, v.name]), v.dims)
  if (form === 3 || s.opset < 9) return s.value(s.node('Mul', [v.name, v.name]), v.dims)
  if (s.opset >= 20 && s.chance(0.5)) return s.value(s.node('Gelu', [v.name]), v.dims)
  const erf = s.node('Erf', [s.node('Div', [v.name, scalar(s, Math.SQRT2)])])
  const gate = s.node('Add', [erf, scalar(s, 1)])
  return s.value(s.node('Mul', [s.node('Mul', [v.name, scalar(s, 0.5)]), gate]), v.dims)
}

const pool: Step = (s, v) => {
  if (!isImage(v)) return undefined
  const [, channels, height, width] = v.dims as [number, number, number, number]
  if (s.chance(0.15)) return s.value(s.node('GlobalAveragePool', [v.name]), [1, channels, 1, 1])
  const kernel = [s.int(1, 3), s.int(1, 3)]
  const strides = [s.int(1, 3), s.int(1, 3)]
  const pads = [0, 1, 2, 3].map((side) => s.int(0, kernel[side % 2]! - 1))
  const ceil = s.opset >= 10 && s.chance(0.4)
  const size = [height, width].map((n, a) => {
    const rest = n + pads[a]! + pads[a + 2]! - kernel[a]!
    const count = (ceil ? Math.ceil : Math.floor)(rest / strides[a]!) + 1
    return rest < 0 ? 0 : ceil && (count - 1) * strides[a]! >= n + pads[a]! ? count - 1 : count
  })
  // a rounded-up window outside the image is dropped when run, but not in onnxruntime's own sizes of older operator sets
  const whole = [height, width].map((n, a) => Math.ceil((n + pads[a]! + pads[a + 2]! - kernel[a]!) / strides[a]!) + 1)
  if (size.some((n, a) => n < 1 || (ceil && s.opset < 22 && n !== whole[a]))) return undefined
  const attributes = {
    kernel_shape: kernel,
    strides,
    pads,
    count_include_pad: s.int(0, 1),
    ...(ceil ? { ceil_mode: 1 } : {}),
  }
  return s.value(s.node('AveragePool', [v.name], attributes), [1, channels, ...size])
}

const largest: Step = (s, v) => {
  if (!isImage(v)) return undefined
  const [, channels, height, width] = v.dims as [number, number, number, number]
  const kernel = [s.int(1, 3), s.int(1, 3)]
  const strides = [s.int(1, 3), s.int(1, 3)]
  const size = [height, width].map((n, a) => Math.floor((n - kernel[a]!) / strides[a]!) + 1)
  if (size.some((n) => n < 1)) return undefined
  return s.value(s.node('MaxPool', [v.name], { kernel_shape: kernel, strides }), [1, channels, ...size])
}

/** Channels or features behind each other. */
const join: Step = (s, v) => {
  if (v.dims.length < 2) return undefined
  const others = s.values.filter(
    (o) => o.dims.length === v.dims.length && `${o.dims.slice(2)}` === `${v.dims.slice(2)}`,
  )
  const inputs = [v, s.pick(others), ...(s.chance(0.3) ? [s.pick(others)] : [])]
  const channels = inputs.reduce((sum, { dims }) => sum + dims[1]!, 0)
  const axis = s.opset >= 11 && s.chance(0.3) ? 1 - v.dims.length : 1
  const name = s.node(
    'Concat',
    inputs.map((input) => input.name),
    { axis },
  )
  return s.value(name, [1, channels, ...v.dims.slice(2)])
}

const reduce: Step = (s, v) => {
  if (v.dims.length < 3) return undefined
  const op = s.chance(0.7) ? 'ReduceMean' : 'ReduceSum'
  const inner = v.dims.map((_, i) => i).slice(1)
  const axes = inner.filter(() => s.chance(0.5))
  if (axes.length === 0 || axes.length === inner.length) return undefined
  const keepdims = s.int(0, 1)
  const spelled = axes.map((a) => (s.opset >= 11 && s.chance(0.3) ? a - v.dims.length : a))
  const asInput = s.opset >= (op === 'ReduceMean' ? 18 : 13)
  const name = asInput
    ? s.node(op, [v.name, s.ints(...spelled)], { keepdims })
    : s.node(op, [v.name], { axes: spelled, keepdims })
  const dims = v.dims.map((d, i) => (axes.includes(i) ? 1 : d))
  return s.value(name, keepdims ? dims : dims.filter((_, i) => !axes.includes(i)))
}

/** Constants per channel, in either order of axes. */
const affine: Step = (s, v) => {
  if (v.dims.length < 2) return undefined
  const axis = s.int(1, v.dims.length - 1)
  const size = v.dims[axis]!
  const full = s.chance(0.3)
  const dims = [...(full ? v.dims.slice(0, axis).map(() => 1) : []), size, ...v.dims.slice(axis + 1).map(() => 1)]
  const constant = s.chance(0.3) ? scalar(s, 0.75) : s.constant(s.numbers(dims))
  const op = s.pick(['Add', 'Sub', 'Mul', 'Sum'])
  if (op === 'Sum' && s.opset < 8) return undefined
  const inputs = op === 'Sub' || s.chance(0.7) ? [v.name, constant] : [constant, v.name]
  return s.value(s.node(op, op === 'Sub' && s.chance(0.4) ? [...inputs].reverse() : inputs), v.dims)
}

const residual: Step = (s, v) => {
  const others = s.values.filter((o) => o !== v && `${o.dims}` === `${v.dims}`)
  if (others.length === 0) return undefined
  const names = [v.name, s.pick(others).name, ...(s.chance(0.2) ? [s.pick(others).name] : [])]
  const op = names.length > 2 ? 'Sum' : s.pick(['Add', 'Sum', 'Sub'])
  return s.value(s.node(op, names), v.dims)
}

const product: Step = (s, v) => {
  const features = v.dims.at(-1)!
  const out = s.int(1, 6)
  if (v.dims.length === 2 && s.chance(0.5)) {
    const transB = s.int(0, 1)
    const weights = weightsOf(s, transB ? [out, features] : [features, out])
    const bias = s.constant(s.numbers(s.pick([[out], [1, out], [1]])))
    return s.value(s.node('Gemm', [v.name, weights, bias], { transB, alpha: { float: 0.5 } }), [1, out])
  }
  if (v.dims.length < 2) return undefined
  return s.value(s.node('MatMul', [v.name, weightsOf(s, [features, out])]), [...v.dims.slice(0, -1), out])
}

const nothing: Step = (s, v) => {
  const op = s.pick(['Identity', 'Dropout', 'Cast', 'dead'])
  // a branch that nobody reads, of an operator that is not taken
  if (op === 'dead' && v.dims.length > 1) s.node('Softmax', [v.name])
  if (op === 'dead') return v
  const name = op === 'Cast' ? s.node('Cast', [s.node('Cast', [v.name], { to: 11 })], { to: 1 }) : s.node(op, [v.name])
  return s.value(name, v.dims)
}

export const STEPS: readonly Step[] = [
  conv,
  conv,
  norm,
  relu,
  smooth,
  pool,
  pool,
  reduce,
  affine,
  residual,
  residual,
  product,
  bent,
  bent,
  largest,
  join,
  nothing,
  ...MOVES,
]
