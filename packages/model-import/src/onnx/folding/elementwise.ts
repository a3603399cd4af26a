/** Functions of single elements, on constants. Every result is rounded to the type that ONNX gives it. */
import { sizeOf } from '@he-ml/model'
import { type Constant, type ElementType, isFloat, roundTo } from '../constant.ts'
import type { Operation } from '../operation.ts'
import { broadcastIndices, broadcastShape } from './broadcast.ts'
import type { Fold } from './fold.ts'

/** The values, when none depends on the batch size and no integer was rounded in reading. */
export function exactValues(op: Operation, { type, data, batch }: Constant): Float64Array {
  if (batch?.some((b) => b !== 0))
    throw op.unsupported('it computes with the batch size, which the file leaves open', 'fix the batch size')
  if (!isFloat(type) && data.some((v) => Math.abs(v) > Number.MAX_SAFE_INTEGER))
    throw op.unsupported('it computes with an integer beyond 2^53', 'export it folded')
  return data
}

/** x -> f(x). */
export const unary =
  (f: (x: number) => number, result?: ElementType): Fold =>
  (op) => {
    const x = op.constant(0, 'operand')
    const type = result ?? x.type
    return { type, dims: x.dims, data: exactValues(op, x).map((v) => roundTo(type, f(v))) }
  }

type Binary = (a: number, b: number, type: ElementType) => number

/** Two or more constants, broadcast; `result` is the type when it is not that of the operands. */
export const binary =
  (f: Binary, result?: ElementType): Fold =>
  (op) => {
    const operands = Array.from({ length: op.inputCount }, (_, i) => op.constant(i, `operand ${i}`))
    const [first] = operands as [Constant]
    if (operands.some((o) => o.type !== first.type) && op.type !== 'Pow')
      throw op.malformed(`mixes ${operands.map((o) => o.type).join(' and ')}`)
    const type = result ?? first.type
    const dims = broadcastShape(
      op,
      operands.map((o) => o.dims),
    )
    op.context.constants.reserve(sizeOf(dims), op.label)
    const [start, ...rest] = operands.map((o) => {
      const values = exactValues(op, o)
      return Float64Array.from(broadcastIndices(o, dims), (i) => values[i]!)
    }) as [Float64Array, ...Float64Array[]]
    const data = rest.reduce((sum, other) => sum.map((v, i) => roundTo(type, f(v, other[i]!, first.type))), start)
    return { type, dims, data }
  }

/** Sums and products of shapes may hold the open batch size: a + b * B stays of that form. */
export const linearBinary =
  (f: Binary, onBatch: (a: BatchTerm, b: BatchTerm) => BatchTerm | undefined): Fold =>
  (op) => {
    const operands = [0, 1].map((i) => op.constant(i, `operand ${i}`))
    if (op.inputCount !== 2 || operands.every((o) => !o.batch)) return binary(f)(op)
    const dims = broadcastShape(
      op,
      operands.map((o) => o.dims),
    )
    op.context.constants.reserve(2 * sizeOf(dims), op.label)
    const terms = operands.map((o) =>
      Array.from(broadcastIndices(o, dims), (i): BatchTerm => [o.data[i]!, o.batch?.[i] ?? 0]),
    )
    const results = terms[0]!.map((a, i) => onBatch(a, terms[1]![i]!))
    if (results.some((r) => r === undefined))
      throw op.unsupported('what it computes with the open batch size is no multiple of it', 'fix the batch size')
    return {
      type: operands[0]!.type,
      dims,
      data: Float64Array.from(results, (r) => r![0]),
      batch: Float64Array.from(results, (r) => r![1]),
    }
  }

/** constant + multiple * batch size. */
export type BatchTerm = readonly [constant: number, multiple: number]

export const addTerms = (a: BatchTerm, b: BatchTerm): BatchTerm => [a[0] + b[0], a[1] + b[1]]
export const subtractTerms = (a: BatchTerm, b: BatchTerm): BatchTerm => [a[0] - b[0], a[1] - b[1]]
export const multiplyTerms = (a: BatchTerm, b: BatchTerm): BatchTerm | undefined =>
  a[1] !== 0 && b[1] !== 0 ? undefined : [a[0] * b[0], a[0] * b[1] + a[1] * b[0]]
export const divideTerms = (a: BatchTerm, b: BatchTerm): BatchTerm | undefined => {
  // B divided by itself, or a multiple of it by a number: whole for every batch size
  if (b[1] !== 0) return b[0] === 0 && a[0] === 0 && a[1] % b[1] === 0 ? [a[1] / b[1], 0] : undefined
  if (b[0] === 0) return undefined
  return a[1] % b[0] === 0 && (a[1] === 0 || a[0] % b[0] === 0) ? [Math.trunc(a[0] / b[0]), a[1] / b[0]] : undefined
}

/** Integers are divided towards zero. */
export const divide: Binary = (a, b, type) => (isFloat(type) ? a / b : Math.trunc(a / b))

/** Remainder with the divisor's sign, or the dividend's with fmod. */
export const modulo: Fold = (op) =>
  op.attributes.int('fmod', 0) !== 0 ? binary((a, b) => a % b)(op) : binary((a, b) => a - b * Math.floor(a / b))(op)

/** Element of the second or third where the first is true or false. */
export const where: Fold = (op) => {
  const [test, a, b] = ['condition', 'first value', 'second value'].map((what, i) => op.constant(i, what)) as [
    Constant,
    Constant,
    Constant,
  ]
  const dims = broadcastShape(op, [test.dims, a.dims, b.dims])
  op.context.constants.reserve(sizeOf(dims), op.label)
  const truth = exactValues(op, test)
  const [t, x, y] = [test, a, b].map((c) => broadcastIndices(c, dims)) as [Int32Array, Int32Array, Int32Array]
  const choose = (p: Float64Array | undefined, q: Float64Array | undefined) =>
    Float64Array.from(t, (at, i) => (truth[at] ? (p?.[x[i]!] ?? 0) : (q?.[y[i]!] ?? 0)))
  return {
    type: a.type,
    dims,
    data: choose(a.data, b.data),
    ...(a.batch || b.batch ? { batch: choose(a.batch, b.batch) } : {}),
  }
}

/** Equality that knows that a batch has at least one image. */
export const equal: Fold = (op) => {
  const operands = [0, 1].map((i) => op.constant(i, `operand ${i}`))
  if (operands.every((o) => !o.batch)) return binary((a, b) => (a === b ? 1 : 0), 'bool')(op)
  const difference = linearBinary((a, b) => a - b, subtractTerms)(op) as Constant
  const data = difference.data.map((d, i) => {
    const multiple = difference.batch?.[i] ?? 0
    if (multiple === 0) return d === 0 ? 1 : 0
    // d + multiple * B = 0 has no solution B >= 1
    if (-d / multiple < 1) return 0
    throw op.unsupported('whether it is true depends on the open batch size', 'fix the batch size')
  })
  return { type: 'bool', dims: difference.dims, data }
}

export const clip: Fold = (op) => {
  const x = op.constant(0, 'operand')
  const old = op.context.opset < 11
  const bound = (index: number, name: string, otherwise: number) =>
    old ? op.attributes.float(name, otherwise) : op.has(index) ? op.constant(index, name).data[0]! : otherwise
  const [low, high] = [bound(1, 'min', -Infinity), bound(2, 'max', Infinity)]
  return { type: x.type, dims: x.dims, data: exactValues(op, x).map((v) => Math.min(Math.max(v, low), high)) }
}
