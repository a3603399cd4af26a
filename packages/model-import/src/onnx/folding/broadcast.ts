import { sizeOf } from '@he-ml/model'
import type { Constant } from '../constant.ts'
import type { Operation } from '../operation.ts'

/** The shape that all shapes are broadcast to. @throws FormatError when they do not fit */
export function broadcastShape(op: Operation, shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(0, ...shapes.map((s) => s.length))
  return Array.from({ length: rank }, (_, i) => {
    let size = 1
    for (const shape of shapes) {
      const d = shape[i - rank + shape.length] ?? 1
      if (d === 1 || d === size) continue
      if (size !== 1) throw op.malformed(`cannot broadcast ${shapes.map((s) => `[${s}]`).join(' and ')}`)
      size = d
    }
    return size
  })
}

/** Index into the constant of every element of the shape it is broadcast to. */
export function broadcastIndices({ dims }: Pick<Constant, 'dims'>, shape: readonly number[]): Int32Array {
  const strides = shape.map((_, i) => {
    const at = i - shape.length + dims.length
    return at < 0 || dims[at] === 1 ? 0 : sizeOf(dims.slice(at + 1))
  })
  return strided(shape, strides)
}

/** offset + sum of coordinate times stride, for every element of a shape. */
export function strided(shape: readonly number[], strides: readonly number[], offset = 0): Int32Array {
  const indices = new Int32Array(sizeOf(shape))
  if (indices.length === 0) return indices
  indices[0] = offset
  let filled = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const block = filled
    for (let step = 1; step < shape[axis]!; step++)
      for (let i = 0; i < block; i++) indices[filled++] = indices[i]! + step * strides[axis]!
  }
  return indices
}

/** The elements at these indices; -1 stands for 0. */
export function pick(op: Operation, from: Constant, dims: readonly number[], indices: Int32Array): Constant {
  op.context.constants.reserve(indices.length, op.label)
  const take = (data: Float64Array) => Float64Array.from(indices, (i) => (i < 0 ? 0 : data[i]!))
  return { type: from.type, dims, data: take(from.data), ...(from.batch ? { batch: take(from.batch) } : {}) }
}
