/** Sums over axes, matrix products and quantised weights, on constants. */
import { sizeOf } from '@he-ml/model'
import { type Constant, roundTo } from '../constant.ts'
import type { Operation } from '../operation.ts'
import { axesOf, axisOf } from '../operators/axes.ts'
import { exactValues } from './elementwise.ts'
import type { Fold } from './fold.ts'

/** One number for all elements along the axes. */
export const reduction =
  (start: number, step: (sum: number, v: number) => number, end = (sum: number, _count: number) => sum): Fold =>
  (op) => {
    const from = op.constant(0, 'value')
    const keep = op.attributes.int('keepdims', 1) !== 0
    const noop = op.attributes.int('noop_with_empty_axes', 0) !== 0
    const given = axesOf(op, from.dims.length)
    if (noop && !given?.length) return from
    const axes = given?.length ? given : from.dims.map((_, i) => i)
    const wide = from.dims.map((d, i) => (axes.includes(i) ? 1 : d))
    const strides = from.dims.map((_, i) => sizeOf(from.dims.slice(i + 1)))
    const targets = wide.map((d, i) => (d === from.dims[i] ? sizeOf(wide.slice(i + 1)) : 0))
    const data = new Float64Array(sizeOf(wide)).fill(start)
    exactValues(op, from).forEach((v, i) => {
      let at = 0
      for (let a = 0; a < wide.length; a++) at += (Math.floor(i / strides[a]!) % from.dims[a]!) * targets[a]!
      data[at] = step(data[at]!, v)
    })
    const count = sizeOf(axes.map((a) => from.dims[a]!))
    return {
      type: from.type,
      dims: keep ? wide : wide.filter((_, i) => !axes.includes(i)),
      data: data.map((v) => roundTo(from.type, end(v, count))),
    }
  }

interface Matrix {
  readonly rows: number
  readonly columns: number
  readonly at: (row: number, column: number) => number
}

function matrix(op: Operation, index: number, transposed: boolean): Matrix {
  const constant = op.constant(index, `factor ${index}`)
  const [rows, columns] = constant.dims as [number, number]
  if (constant.dims.length !== 2)
    throw op.unsupported(`its constant factor has shape [${constant.dims}]`, 'export products of weights folded')
  const data = exactValues(op, constant)
  if (transposed) return { rows: columns, columns: rows, at: (r, c) => data[c * columns + r]! }
  return { rows, columns, at: (r, c) => data[r * columns + c]! }
}

function times(op: Operation, a: Matrix, b: Matrix): Constant {
  if (a.columns !== b.rows) throw op.malformed(`multiplies ${a.rows} x ${a.columns} by ${b.rows} x ${b.columns}`)
  // a product takes time beside room
  op.context.constants.reserve(a.rows * b.columns + (a.rows * a.columns * b.columns) / 64, op.label)
  const { type } = op.constant(0, 'factor')
  const data = new Float64Array(a.rows * b.columns)
  for (let i = 0; i < a.rows; i++)
    for (let j = 0; j < b.columns; j++) {
      let sum = 0
      for (let k = 0; k < a.columns; k++) sum += a.at(i, k) * b.at(k, j)
      data[i * b.columns + j] = roundTo(type, sum)
    }
  return { type, dims: [a.rows, b.columns], data }
}

export const matMul: Fold = (op) => times(op, matrix(op, 0, false), matrix(op, 1, false))

/** (value - zero point) * scale, for one scale or one per index of an axis. */
export const dequantize: Fold = (op) => {
  const from = op.constant(0, 'value')
  const scale = op.constant(1, 'scale')
  const zero = op.has(2) ? op.constant(2, 'zero point') : undefined
  if (op.attributes.int('block_size', 0) !== 0 || op.attributes.int('output_dtype', 0) !== 0 || scale.dims.length > 1)
    throw op.unsupported('it scales blocks', 'store the weights as floating-point numbers')
  const each = scale.dims.length === 1 && scale.data.length !== 1
  const given = op.attributes.int('axis', 1)
  const axis = each ? axisOf(op, given, from.dims.length) : 0
  if (each && scale.data.length !== from.dims[axis])
    throw op.malformed(`has ${scale.data.length} scales for axis ${axis}`)
  if (zero && zero.data.length !== scale.data.length)
    throw op.malformed(`has ${zero.data.length} zero points for ${scale.data.length} scales`)
  const inner = each ? sizeOf(from.dims.slice(axis + 1)) : 1
  const index = (i: number) => (each ? Math.floor(i / inner) % scale.data.length : 0)
  const data = exactValues(op, from).map((v, i) =>
    roundTo(scale.type, (v - (zero?.data[index(i)] ?? 0)) * scale.data[index(i)]!),
  )
  return { type: scale.type, dims: from.dims, data }
}
