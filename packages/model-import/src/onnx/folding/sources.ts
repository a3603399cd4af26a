/** Constants out of attributes, shapes and ranges. */
import { sizeOf } from '@he-ml/model'
import { type Constant, int64, isFloat, roundTo } from '../constant.ts'
import type { Operation } from '../operation.ts'
import { elementType, elementTypeLabel } from '../tensor-data.ts'
import { dimSize, isBatch } from '../view.ts'
import { exactValues } from './elementwise.ts'
import type { Fold } from './fold.ts'

export const constant: Fold = (op) => {
  const { attributes } = op
  const tensor = attributes.tensor('value')
  if (tensor) return tensor
  const floats = attributes.floats('value_floats')
  const float = (dims: number[], data: number[]): Constant => ({ type: 'float32', dims, data: Float64Array.from(data) })
  if (floats) return float([floats.length], floats)
  if (attributes.has('value_float')) return float([], [attributes.float('value_float', 0)])
  const ints = attributes.roughInts('value_ints')
  if (ints) return int64([ints.length], ints)
  if (attributes.has('value_int')) return int64([], [attributes.roughInt('value_int')])
  throw op.unsupported('it holds neither numbers nor a tensor of them', 'use value, value_float(s) or value_int(s)')
}

export const constantOfShape: Fold = (op) => {
  const dims = op.integers(0, 'shape')
  if (dims.some((d) => !Number.isSafeInteger(d) || d < 0)) throw op.malformed(`has the shape [${dims}]`)
  const value = op.attributes.tensor('value')
  if (value && value.data.length !== 1) throw op.malformed(`has ${value.data.length} values, expected one`)
  op.context.constants.reserve(sizeOf(dims), op.label)
  return { type: value?.type ?? 'float32', dims, data: new Float64Array(sizeOf(dims)).fill(value?.data[0] ?? 0) }
}

/** Sizes of a constant, or of a computed value, whose batch size stays open. */
export const shapeOf: Fold = (op) => {
  const terms = sizeTerms(op)
  const rank = terms.length
  const clamp = (value: number) => Math.min(Math.max(value < 0 ? value + rank : value, 0), rank)
  const wanted = terms.slice(clamp(op.attributes.int('start', 0)), clamp(op.attributes.int('end', rank)))
  return withBatch([wanted.length], wanted)
}

export const sizeOfValue: Fold = (op) => {
  const terms = sizeTerms(op)
  const open = terms.some(([, multiple]) => multiple > 0)
  const size = terms.reduce((product, [c, m]) => product * (m || c), 1)
  return withBatch([], [open ? [0, size] : [size, 0]])
}

type Term = readonly [constant: number, multiple: number]

function sizeTerms(op: Operation): Term[] {
  if (op.isConstant(0)) return op.constant(0, 'value').dims.map((d): Term => [d, 0])
  const { batch } = op.context
  return op.view(0, { integer: true }).dims.map((dim): Term => {
    const size = dimSize(dim)
    if (!isBatch(dim)) return [size, 0]
    return batch === undefined ? [0, size] : [size * batch, 0]
  })
}

function withBatch(dims: readonly number[], terms: readonly Term[]): Constant {
  const result = int64(
    dims,
    terms.map(([c]) => c),
  )
  const multiples = Float64Array.from(terms, ([, m]) => m)
  return multiples.some((m) => m !== 0) ? { ...result, batch: multiples } : result
}

export const range: Fold = (op) => {
  const ends = ['start', 'limit', 'delta'].map((what, i) => op.constant(i, what))
  const [start, limit, delta] = ends.map((c) => exactValues(op, c)[0] ?? Number.NaN) as [number, number, number]
  const { type } = ends[0]!
  const count = Math.max(0, Math.ceil((limit - start) / delta))
  if (!Number.isFinite(count)) throw op.malformed(`counts from ${start} to ${limit} in steps of ${delta}`)
  op.context.constants.reserve(count, op.label)
  return { type, dims: [count], data: Float64Array.from({ length: count }, (_, i) => roundTo(type, start + i * delta)) }
}

export const cast: Fold = (op) => {
  op.attributes.ignore('saturate', 'round_mode')
  const code = op.attributes.int('to', 0)
  const type = elementType(code)
  const from = op.constant(0, 'value')
  if (!type)
    throw op.unsupported(`it casts to ${elementTypeLabel(code)}`, 'cast to float or integer numbers of 8 to 64 bits')
  const wide =
    type === 'int64' || (from.type === 'int64' && type === 'int32' && from.data.every((v) => Math.abs(v) < 2 ** 31))
  if (from.batch && wide) return { ...from, type }
  if (from.batch) exactValues(op, from)
  // an int64 that stands for "to the end" stays one
  if (!isFloat(from.type) && type === 'int64') return { ...from, type }
  const values = isFloat(type) ? from.data : exactValues(op, from)
  return { type, dims: from.dims, data: values.map((v) => roundTo(type, v)) }
}
