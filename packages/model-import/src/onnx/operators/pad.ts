/** Zeros around a value; negative pads crop. */
import { type Shape, sameShape, sizeOf } from '@he-ml/model'
import type { PadNode } from '../graph.ts'
import type { Operation, Translate } from '../operation.ts'
import { contiguous, type Dim, dimSize, isBatch, sizesOf, type View, walk } from '../view.ts'
import { axisOf } from './axes.ts'
import { sliced } from './slices.ts'

type Sides = readonly [before: number, after: number]
const NONE: Sides = [0, 0]

export const pad: Translate = (op) => {
  checkZeros(op)
  const view = op.view(0)
  const sides = sidesOf(op, view)
  sides.forEach((s, i) => {
    if (isBatch(view.dims[i]!) && s.some((p) => p !== 0))
      throw op.unsupported('it pads the batch', 'pad within one image')
  })
  const crops = sides.flatMap(([a, b], i) => {
    const size = dimSize(view.dims[i]!)
    const [start, end] = [Math.max(0, -a), Math.max(0, -b)]
    return start + end > 0 ? [[i, { start, count: size - start - end, step: 1 }] as const] : []
  })
  const cropped = sliced(op, view, new Map(crops))
  const positive = sides.map(([a, b]): Sides => [Math.max(0, a), Math.max(0, b)])
  op.emit(positive.some((s) => s[0] + s[1] > 0) ? padded(op, cropped, positive) : cropped)
}

function checkZeros(op: Operation): void {
  const mode = op.attributes.string('mode', 'constant')
  if (mode !== 'constant') throw op.unsupported(`its mode is "${mode}"`, 'pad with zeros (mode "constant")')
  const value = op.has(2) ? (op.constant(2, 'value').data[0] ?? 0) : op.attributes.float('value', 0)
  if (value !== 0) throw op.unsupported(`it pads with ${value}`, 'pad with zeros')
}

/** Before and after, for every axis. */
function sidesOf(op: Operation, view: View): Sides[] {
  const rank = view.dims.length
  const pads = op.context.opset >= 11 ? op.integers(1, 'pads') : (op.attributes.ints('pads') ?? [])
  const axes = op.has(3) ? op.integers(3, 'axes').map((a) => axisOf(op, a, rank)) : view.dims.map((_, i) => i)
  if (pads.length !== 2 * axes.length || pads.some((p) => !Number.isSafeInteger(p)))
    throw op.malformed(`needs ${2 * axes.length} integer pads for ${axes.length} axes, got [${pads}]`)
  const sides: Sides[] = view.dims.map(() => NONE)
  axes.forEach((axis, i) => {
    sides[axis] = [pads[i]!, pads[axes.length + i]!]
  })
  return sides
}

function padded(op: Operation, view: View, sides: readonly Sides[]): View {
  return strided(op, view, sides) ?? turned(op, view, sides) ?? fresh(op, view, sides)
}

/** Channels padded after every second pixel was taken (shortcuts of option A): a convolution does both. */
function strided(op: Operation, view: View, sides: readonly Sides[]): View | undefined {
  const { shape } = op.context.graph.node(view.node)
  if (shape.length !== 3 || view.dims.length !== 4 || view.offset !== 0 || !op.isBatchFirst(view)) return undefined
  const [channels, height, width] = shape as [number, number, number]
  const step = (axis: number, full: number, unit: number) => {
    const [atom] = walk([view.dims[axis]!])
    const size = dimSize(view.dims[axis]!)
    const s = atom ? atom.stride / unit : full
    return Number.isInteger(s) && s >= 1 && size === Math.ceil(full / s) ? s : undefined
  }
  const [c, y, x] = [step(1, channels, height * width), step(2, height, width), step(3, width, 1)]
  if (c === undefined || y === undefined || x === undefined || (channels > 1 && c !== 1) || (y === 1 && x === 1))
    return undefined
  return emitPad(op, { source: view.node, sizes: sizesOf(view.dims.slice(1)), sides: sides.slice(1), stride: [y, x] })
}

/** In the tensor's own order of axes, where each axis of the value is one of the tensor. */
function turned(op: Operation, view: View, sides: readonly Sides[]): View | undefined {
  const { shape } = op.context.graph.node(view.node)
  if (shape.length !== 3 || view.offset !== 0 || sizeOf(sizesOf(view.dims)) !== sizeOf(shape)) return undefined
  const places = contiguous(shape).map((dim) => view.dims.findIndex((d) => !isBatch(d) && isSameWalk(d, dim)))
  // axes of size 1 have no place: only where nothing is padded but what was found
  const found = new Set(places)
  if (sides.some((s, i) => s[0] + s[1] > 0 && !found.has(i))) return undefined
  if (view.dims.some((d, i) => dimSize(d) > 1 && !isBatch(d) && !found.has(i))) return undefined
  const own = places.map((p) => (p < 0 ? NONE : sides[p]!))
  const result = emitPad(op, { source: view.node, sizes: shape, sides: own, stride: [1, 1] })
  const axes = result.dims.slice(1)
  return { ...result, dims: view.dims.map((d, i) => (found.has(i) ? axes[places.indexOf(i)]! : d)) }
}

/** Whether both are one walk, and the same; axes of size 1 are none. */
const isSameWalk = (a: Dim, b: Dim): boolean => {
  const [x, y] = [walk([a]), walk([b])]
  return x.length === 1 && y.length === 1 && x[0]!.size === y[0]!.size && x[0]!.stride === y[0]!.stride
}

function fresh(op: Operation, view: View, sides: readonly Sides[]): View {
  const sizes = sizesOf(view.dims)
  const inner = sizes.slice(1)
  if (!op.isBatchFirst(view) || inner.length === 0 || inner.length > 3)
    throw op.unsupported(
      `it pads a value of shape ${op.describe(view)}`,
      'pad [batch, channels, height, width] or less',
    )
  // [batch, rows, features] as an image of one column
  const narrow = inner.length === 2
  const shape = narrow ? [...inner, 1] : inner
  const own = narrow ? [...sides.slice(1), NONE] : sides.slice(1)
  const result = emitPad(op, { source: op.materialise(view, shape), sizes: shape, sides: own, stride: [1, 1] })
  return narrow ? { ...result, dims: result.dims.slice(0, -1) } : result
}

interface Padding {
  readonly source: string
  /** Before padding. */
  readonly sizes: Shape
  readonly sides: readonly Sides[]
  readonly stride: readonly [number, number]
}

function emitPad(op: Operation, { source, sizes, sides, stride }: Padding): View {
  const { graph } = op.context
  const shape = sizes.map((s, i) => s + sides[i]![0] + sides[i]![1])
  const [channels, rows = NONE, columns = NONE] = sides as [Sides, Sides?, Sides?]
  const before = graph.node(source)
  const padding = [rows[0], columns[0], rows[1], columns[1]] as [number, number, number, number]
  if (before.kind === 'pad' && sameShape(before.stride, [1, 1]) && sameShape(stride, [1, 1])) {
    const rim = before.padding.map((p, i) => p + padding[i]!) as unknown as PadNode['padding']
    const both = [before.channels[0] + channels[0], before.channels[1] + channels[1]] as const
    return op.fresh(graph.add({ ...before, name: op.name, shape, padding: rim, channels: both }))
  }
  return op.fresh(graph.add({ kind: 'pad', name: op.name, inputs: [source], shape, padding, channels, stride }))
}
