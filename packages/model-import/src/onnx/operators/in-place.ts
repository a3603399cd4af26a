import { sizeOf } from '@he-ml/model'
import type { Operation } from '../operation.ts'
import { contiguous, type Dim, isBatch, sizesOf, type View } from '../view.ts'

/**
 * The node on which a function of single elements may work without moving any: the one that the view sees, when it sees all of
 * it, else a copy of what it sees.
 */
export function inPlace(op: Operation, view: View): { readonly id: string; readonly view: View } {
  const seen = sizeOf(sizesOf(view.dims))
  if (seen === sizeOf(op.context.graph.node(view.node).shape)) return { id: view.node, view }
  return copied(op, view)
}

/** What the view sees, row by row, in a node of its own: an image where it has three dimensions, else a list. */
export function copied(op: Operation, view: View): { readonly id: string; readonly view: View } {
  const sizes = sizesOf(view.dims)
  const inner = op.isBatchFirst(view) ? sizes.slice(1) : sizes
  const id = op.materialise(view, inner.length === 3 ? inner : [sizeOf(inner)])
  return { id, view: { ...view, node: id, offset: 0, dims: rowMajor(view.dims) } }
}

/** Dimensions of the same sizes without gaps or turns; the batch stays where it is. */
function rowMajor(dims: readonly Dim[]): Dim[] {
  const flat = contiguous(sizesOf(dims))
  return dims.map((d, i) => (isBatch(d) ? [...d.filter((a) => isBatch([a])), ...flat[i]!] : flat[i]!))
}
