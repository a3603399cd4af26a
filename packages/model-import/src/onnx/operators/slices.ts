/** Slices of computed values: longer steps through the same tensor. */
import type { Operation } from '../operation.ts'
import { dimSize, isBatch, type View, walk } from '../view.ts'
import { copied } from './in-place.ts'

export interface AxisSlice {
  readonly start: number
  readonly count: number
  /** Negative: backwards. */
  readonly step: number
}

/** The view with these axes cut. @throws UnsupportedError for empty results and slices of the batch */
export function sliced(op: Operation, from: View, slices: ReadonlyMap<number, AxisSlice>): View {
  const wanted = [...slices].filter(
    ([axis, { start, count, step }]) => start !== 0 || step !== 1 || count !== dimSize(from.dims[axis]!),
  )
  if (wanted.length === 0) return from
  for (const [axis, { count }] of wanted) {
    if (isBatch(from.dims[axis]!)) throw op.unsupported('it slices the batch', 'keep all images')
    if (count < 1)
      throw op.unsupported(`it leaves nothing of axis ${axis} of ${op.describe(from)}`, 'keep some elements')
  }
  // an axis of several walks is laid out as one first
  const simple = wanted.every(([axis]) => walk([from.dims[axis]!]).length <= 1)
  const view = simple ? from : copied(op, from).view
  let { offset } = view
  const dims = view.dims.map((dim, axis) => {
    const slice = slices.get(axis)
    if (!slice || isBatch(dim)) return dim
    const [atom] = walk([dim])
    if (!atom) return dim
    offset += slice.start * atom.stride
    return slice.count > 1 ? [{ size: slice.count, stride: atom.stride * slice.step }] : []
  })
  return { ...view, offset, dims }
}

/**
 * What Slice reads along one axis, by the operator's rules: negative numbers count from the end, then everything is clamped.
 * @param size of the axis
 */
export function axisSlice(size: number, start: number, end: number, step: number): AxisSlice {
  const resolve = (value: number) => (value < 0 ? value + size : value)
  const within = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high)
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1]
  const from = within(resolve(start), 0, high)
  const to = within(resolve(end), low, high)
  return { start: from, count: Math.max(0, Math.ceil((to - from) / step)), step }
}
