/** Operators that only move elements, on constants. */
import { sizeOf } from '@he-ml/model'
import type { Constant } from '../constant.ts'
import type { Operation } from '../operation.ts'
import { axesOf, axisOf } from '../operators/axes.ts'
import { axisSlice } from '../operators/slices.ts'
import { broadcastIndices, broadcastShape, pick, strided } from './broadcast.ts'
import type { Fold } from './fold.ts'

const stridesOf = (dims: readonly number[]) => dims.map((_, i) => sizeOf(dims.slice(i + 1)))

export const same: Fold = (op) => op.constant(0, 'value')

export const dropout: Fold = (op) => {
  op.attributes.ignore('ratio', 'seed')
  if (op.has(2) && op.constant(2, 'training_mode').data[0] !== 0)
    throw op.unsupported('it is in training mode', 'export the model in evaluation mode')
  return op.constant(0, 'value')
}

export const transpose: Fold = (op) => {
  const from = op.constant(0, 'value')
  const rank = from.dims.length
  const perm = op.attributes.ints('perm') ?? from.dims.map((_, i) => rank - 1 - i)
  if (perm.length !== rank || [...perm].sort((a, b) => a - b).some((p, i) => p !== i))
    throw op.malformed(`has perm [${perm}], which does not order ${rank} axes`)
  const strides = stridesOf(from.dims)
  const dims = perm.map((p) => from.dims[p]!)
  return pick(
    op,
    from,
    dims,
    strided(
      dims,
      perm.map((p) => strides[p]!),
    ),
  )
}

export const reshape: Fold = (op) => {
  const from = op.constant(0, 'value')
  const target = op.integers(1, 'target shape')
  const keepsZero = op.attributes.int('allowzero', 0) !== 0
  const sizes = target.map((d, i) => (d === 0 && !keepsZero ? (from.dims[i] ?? -2) : d))
  const open = sizes.filter((d) => d === -1).length
  const known = sizeOf(sizes.filter((d) => d !== -1))
  const dims = sizes.map((d) => (d === -1 ? sizeOf(from.dims) / known : d))
  if (open > 1 || dims.some((d) => !Number.isSafeInteger(d) || d < 0) || sizeOf(dims) !== sizeOf(from.dims))
    throw op.malformed(`cannot make [${target}] of a constant of shape [${from.dims}]`)
  return { ...from, dims }
}

export const flatten: Fold = (op) => {
  const from = op.constant(0, 'value')
  const given = op.attributes.int('axis', 1)
  const axis = given < 0 ? given + from.dims.length : given
  if (axis < 0 || axis > from.dims.length) throw op.malformed(`has axis ${given} for a shape [${from.dims}]`)
  return { ...from, dims: [sizeOf(from.dims.slice(0, axis)), sizeOf(from.dims.slice(axis))] }
}

export const squeeze: Fold = (op) => {
  const from = op.constant(0, 'value')
  const axes = axesOf(op, from.dims.length) ?? from.dims.flatMap((d, i) => (d === 1 ? [i] : []))
  if (axes.some((a) => from.dims[a] !== 1))
    throw op.malformed(`removes axes [${axes}] of [${from.dims}], not all of size 1`)
  return { ...from, dims: from.dims.filter((_, i) => !axes.includes(i)) }
}

export const unsqueeze: Fold = (op) => {
  const from = op.constant(0, 'value')
  const given = op.has(1) ? op.integers(1, 'axes') : (op.attributes.ints('axes') ?? [])
  const rank = from.dims.length + given.length
  const axes = given.map((a) => axisOf(op, a, rank))
  if (new Set(axes).size !== axes.length) throw op.malformed(`has axes [${given}], some of them twice`)
  const rest = [...from.dims]
  return { ...from, dims: Array.from({ length: rank }, (_, i) => (axes.includes(i) ? 1 : rest.shift()!)) }
}

export const slice: Fold = (op) => {
  const from = op.constant(0, 'value')
  const old = op.context.opset < 10
  const list = (index: number, name: string): number[] | undefined =>
    old ? op.attributes.roughInts(name) : op.has(index) ? op.integers(index, name) : undefined
  const starts = list(1, 'starts') ?? []
  const ends = list(2, 'ends') ?? []
  const axes = (list(3, 'axes') ?? starts.map((_, i) => i)).map((a) => axisOf(op, a, from.dims.length))
  const steps = (!old && op.has(4) ? op.integers(4, 'steps') : undefined) ?? starts.map(() => 1)
  if (
    [ends, axes, steps].some((l) => l.length !== starts.length) ||
    steps.includes(0) ||
    new Set(axes).size !== axes.length
  )
    throw op.malformed(
      `has starts [${starts}], ends [${ends}], axes [${axes}] and steps [${steps}], which do not match`,
    )
  const strides = stridesOf(from.dims)
  const dims = [...from.dims]
  let offset = 0
  axes.forEach((axis, i) => {
    const { start, count, step } = axisSlice(from.dims[axis]!, starts[i]!, ends[i]!, steps[i]!)
    dims[axis] = count
    offset += start * strides[axis]!
    strides[axis]! *= step
  })
  return pick(op, from, dims, strided(dims, strides, offset))
}

export const gather: Fold = (op) => {
  const from = op.constant(0, 'value')
  const indices = op.constant(1, 'indices')
  const axis = axisOf(op, op.attributes.int('axis', 0), from.dims.length)
  const size = from.dims[axis]!
  const at = op.integers(1, 'indices').map((i) => axisOf(op, i, size))
  const inner = sizeOf(from.dims.slice(axis + 1))
  const outer = sizeOf(from.dims.slice(0, axis))
  const dims = [...from.dims.slice(0, axis), ...indices.dims, ...from.dims.slice(axis + 1)]
  op.context.constants.reserve(sizeOf(dims), op.label)
  const list = new Int32Array(sizeOf(dims))
  let filled = 0
  for (let o = 0; o < outer; o++)
    for (const i of at) for (let k = 0; k < inner; k++) list[filled++] = (o * size + i) * inner + k
  return pick(op, from, dims, list)
}

export const concat: Fold = (op) => {
  const parts = Array.from({ length: op.inputCount }, (_, i) => op.constant(i, `part ${i}`))
  const [first] = parts as [Constant]
  if (!op.attributes.has('axis')) throw op.malformed('has no axis')
  const axis = axisOf(op, op.attributes.int('axis', 0), first.dims.length)
  const rest = (c: Constant) => c.dims.filter((_, i) => i !== axis).join()
  if (parts.some((p) => p.type !== first.type || p.dims.length !== first.dims.length || rest(p) !== rest(first)))
    throw op.malformed(`cannot join ${parts.map((p) => `${p.type}[${p.dims}]`).join(', ')} along axis ${axis}`)
  const dims = first.dims.map((d, i) => (i === axis ? parts.reduce((sum, p) => sum + p.dims[axis]!, 0) : d))
  op.context.constants.reserve(sizeOf(dims), op.label)
  const join = (get: (c: Constant) => Float64Array) => joined(parts, axis, get, sizeOf(dims))
  const batch = parts.some((p) => p.batch)
  return {
    type: first.type,
    dims,
    data: join((p) => p.data),
    ...(batch ? { batch: join((p) => p.batch ?? new Float64Array(p.data.length)) } : {}),
  }
}

function joined(
  parts: readonly Constant[],
  axis: number,
  get: (c: Constant) => Float64Array,
  size: number,
): Float64Array {
  const result = new Float64Array(size)
  const outer = sizeOf(parts[0]!.dims.slice(0, axis))
  let filled = 0
  for (let o = 0; o < outer; o++)
    for (const part of parts) {
      const block = sizeOf(part.dims.slice(axis))
      result.set(get(part).subarray(o * block, (o + 1) * block), filled)
      filled += block
    }
  return result
}

export const split: Fold = (op) => {
  const from = op.constant(0, 'value')
  const axis = axisOf(op, op.attributes.int('axis', 0), from.dims.length)
  const size = from.dims[axis]!
  const count = op.attributes.int('num_outputs', op.outputs.length)
  const part = Math.ceil(size / count)
  const given = op.has(1) ? op.integers(1, 'split') : op.attributes.ints('split')
  const sizes = given ?? Array.from({ length: count }, (_, i) => Math.max(0, Math.min(part, size - i * part)))
  if (sizes.length !== op.outputs.length || sizes.reduce((a, b) => a + b, 0) !== size || sizes.some((s) => s < 0))
    throw op.malformed(`splits ${size} elements into [${sizes}] for ${op.outputs.length} outputs`)
  const strides = stridesOf(from.dims)
  let start = 0
  return sizes.map((s) => {
    const dims = from.dims.map((d, i) => (i === axis ? s : d))
    const result = pick(op, from, dims, strided(dims, strides, start * strides[axis]!))
    start += s
    return result
  })
}

export const expand: Fold = (op) => {
  const from = op.constant(0, 'value')
  const dims = broadcastShape(op, [from.dims, op.integers(1, 'shape')])
  op.context.constants.reserve(sizeOf(dims), op.label)
  return pick(op, from, dims, broadcastIndices(from, dims))
}

export const tile: Fold = (op) => {
  const from = op.constant(0, 'value')
  const repeats = op.integers(1, 'repeats')
  if (repeats.length !== from.dims.length || repeats.some((r) => r < 0))
    throw op.malformed(`repeats a constant of shape [${from.dims}] [${repeats}] times`)
  const strides = stridesOf(from.dims)
  const dims = from.dims.map((d, i) => d * repeats[i]!)
  op.context.constants.reserve(sizeOf(dims), op.label)
  // axis by axis: how often, then where
  const pairs = from.dims.flatMap((d, i) => [repeats[i]!, d])
  return pick(
    op,
    from,
    dims,
    strided(
      pairs,
      strides.flatMap((s) => [0, s]),
    ),
  )
}

export const pad: Fold = (op) => {
  const from = op.constant(0, 'value')
  const mode = op.attributes.string('mode', 'constant')
  const value = op.has(2) ? (op.constant(2, 'value').data[0] ?? 0) : op.attributes.float('value', 0)
  if (mode !== 'constant' || value !== 0)
    throw op.unsupported(`it pads a constant in mode "${mode}" with ${value}`, 'export it folded')
  const pads = op.context.opset >= 11 ? op.integers(1, 'pads') : (op.attributes.ints('pads') ?? [])
  const axes = op.has(3)
    ? op.integers(3, 'axes').map((a) => axisOf(op, a, from.dims.length))
    : from.dims.map((_, i) => i)
  if (pads.length !== 2 * axes.length) throw op.malformed(`has ${pads.length} pads for ${axes.length} axes`)
  const before = from.dims.map((_, i) => pads[axes.indexOf(i)] ?? 0)
  const dims = from.dims.map((d, i) => d + before[i]! + (axes.includes(i) ? pads[axes.length + axes.indexOf(i)]! : 0))
  if (dims.some((d) => d < 0)) throw op.malformed(`pads [${from.dims}] by [${pads}]: less than nothing is left`)
  op.context.constants.reserve(sizeOf(dims), op.label)
  return pick(op, from, dims, paddedIndices(from.dims, before, dims))
}

function paddedIndices(from: readonly number[], before: readonly number[], dims: readonly number[]): Int32Array {
  const strides = stridesOf(dims)
  const inner = stridesOf(from)
  return Int32Array.from({ length: sizeOf(dims) }, (_, i) => {
    let index = 0
    for (let axis = 0; axis < dims.length; axis++) {
      const at = (Math.floor(i / strides[axis]!) % dims[axis]!) - before[axis]!
      if (at < 0 || at >= from[axis]!) return -1
      index += at * inner[axis]!
    }
    return index
  })
}

/** Whether an operator has as many outputs as it gives. */
export const asList = (op: Operation, result: Constant | readonly Constant[]): readonly Constant[] => {
  const list = 'dims' in result ? [result] : result
  if (op.outputs.slice(list.length).some((name) => name !== ''))
    throw op.unsupported('an output beside its first is read', 'export without it')
  return list
}
