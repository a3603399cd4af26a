/**
 * Means and sums over axes of an image: a pool over whole rows, columns or both, where the value lies. Other axes are laid out
 * as rows first. A mean of a mean is one pool.
 */

import { type Shape, sizeOf } from '@he-ml/model'
import { averagePool2d, globalAveragePool, type Pair, sumPool2d } from '@he-ml/nn-layers'
import type { Operation, Translate } from '../operation.ts'
import { type Atom, BATCH, contiguous, type Dim, dimSize, isBatch, sizesOf, type View, walk } from '../view.ts'
import { axesOf } from './axes.ts'

type Mode = 'average' | 'sum'

/** Pools over whole axes, by the node that holds their result: their source and window. */
const wholePools = new WeakMap<object, { readonly mode: Mode; readonly source: string; readonly kernel: Pair }>()

export const reduceBy =
  (mode: Mode): Translate =>
  (op) => {
    const view = op.view(0)
    const { dims } = view
    const keep = op.attributes.int('keepdims', 1) !== 0
    const noop = op.attributes.int('noop_with_empty_axes', 0) !== 0
    const given = axesOf(op, dims.length)
    if (noop && !given?.length) return op.emit(view)
    const axes = given?.length ? given : dims.map((_, i) => i)
    if (axes.some((a) => isBatch(dims[a]!)))
      throw op.unsupported(`it reduces the batch dimension of ${op.describe(view)}`, 'reduce within one image')
    const found = inPlaceReduction(op, view, axes, mode) ?? movedReduction(op, view, axes, mode)
    op.emit({ ...found, dims: keep ? found.dims : found.dims.filter((_, i) => !axes.includes(i)) })
  }

/** Where the axes are exactly the rows, the columns or both of an image. */
function inPlaceReduction(op: Operation, view: View, axes: readonly number[], mode: Mode): View | undefined {
  const { shape } = op.context.graph.node(view.node)
  if (shape.length !== 3 || sizeOf(sizesOf(view.dims)) !== sizeOf(shape)) return undefined
  const [, height, width] = shape as [number, number, number]
  const atoms = axes.flatMap((a) => [...view.dims[a]!]).filter((a) => a.size > 1)
  const [one, ...others] = walk([atoms.sort((a, b) => b.stride - a.stride)])
  if (others.length > 0) return undefined
  const is = (size: number, stride: number) => (one ? one.size === size && one.stride === stride : size === 1)
  const kernel: Pair | undefined = is(height * width, 1)
    ? [height, width]
    : is(width, 1)
      ? [1, width]
      : is(height, width)
        ? [height, 1]
        : undefined
  if (!kernel) return undefined
  const node = pooled(op, view.node, kernel, mode)
  const dims = view.dims.map((d, i) => (axes.includes(i) ? [] : d.map((a) => narrowed(a, [height, width], kernel))))
  const wide = dims.some((d) => d.includes(TORN))
  return wide ? undefined : { node, offset: 0, dims }
}

const TORN: Atom = { size: 0, stride: 0 }

/** An atom after rows or columns have become one; TORN when it reaches over the border of an axis. */
function narrowed(atom: Atom, [height, width]: Pair, [rows, columns]: Pair): Atom {
  if (atom === BATCH || atom.size === 1) return atom
  const [h, w] = [height / rows, width / columns]
  if (atom.stride % (height * width) === 0) return { ...atom, stride: (atom.stride / (height * width)) * h * w }
  if (atom.stride % width === 0 && atom.stride * atom.size <= height * width)
    return { ...atom, stride: (atom.stride / width) * w }
  return atom.stride * atom.size <= width ? atom : TORN
}

function movedReduction(op: Operation, view: View, axes: readonly number[], mode: Mode): View {
  const kept = view.dims.map((d, i) => (axes.includes(i) ? [] : d))
  const reduced = axes.flatMap((a) => [...view.dims[a]!])
  const sizes = sizesOf(kept)
  const count = sizeOf(axes.map((a) => dimSize(view.dims[a]!)))
  const id = op.materialise({ ...view, dims: [...kept, reduced] }, [sizeOf(sizes), count, 1])
  const node = pooled(op, id, [count, 1], mode)
  const flat = contiguous(sizes)
  const dims: Dim[] = kept.map((d, i) => (isBatch(d) ? [BATCH, ...flat[i]!] : flat[i]!))
  return { node, offset: 0, dims }
}

function pooled(op: Operation, id: string, kernel: Pair, mode: Mode): string {
  const { graph } = op.context
  const before = wholePools.get(graph.node(id))
  const joined = before?.mode === mode ? before : undefined
  const source = joined?.source ?? id
  const window: Pair = joined ? [kernel[0] * joined.kernel[0], kernel[1] * joined.kernel[1]] : kernel
  const shape: Shape = graph.node(source).shape
  const whole = window[0] === shape[1] && window[1] === shape[2]
  const layer =
    mode === 'sum'
      ? sumPool2d({ name: op.name, kernel: window })
      : whole
        ? globalAveragePool({ name: op.name })
        : averagePool2d({ name: op.name, kernel: window })
  const result = graph.addLayer(layer, [source])
  wholePools.set(graph.node(result), { mode, source, kernel: window })
  return result
}
