/** Constants that meet a computed value: broadcast as ONNX does it, then one number per channel of the tensor behind it. */
import { type Shape, sizeOf } from '@he-ml/model'
import type { Constant } from '../constant.ts'
import type { Operation } from '../operation.ts'
import { type Dim, dimSize, isBatch, type View } from '../view.ts'
import { copied, inPlace } from './in-place.ts'

export interface ChannelValues {
  readonly id: string
  readonly view: View
  /** One list per constant: a value per channel (or feature) of the node. */
  readonly values: readonly Float64Array[]
}

/** @throws UnsupportedError when a constant depends on more than the channel */
export function channelValues(op: Operation, from: View, constants: readonly Constant[]): ChannelValues {
  const rank = Math.max(from.dims.length, ...constants.map((c) => c.dims.length))
  const missing = Array.from({ length: rank - from.dims.length }, (): Dim => [])
  const wide = { ...from, dims: [...missing, ...from.dims] }
  for (const constant of constants) checkBroadcast(op, wide, constant)
  const slim = constants.map(collapse)
  for (const place of [inPlace, copied]) {
    const { id, view } = place(op, wide)
    const { shape } = op.context.graph.node(id)
    const values = slim.map((constant) => spread(view, shape, constant))
    if (values.every((v) => v !== undefined)) return { id, view, values: values as Float64Array[] }
  }
  const shapes = constants.flatMap((c) => (c.data.length === 1 ? [] : [`[${c.dims}]`])).join(', ')
  throw op.unsupported(
    `its constant of shape ${shapes} is neither one number nor one per channel of ${op.describe(from)}`,
    'use one value per channel',
  )
}

function checkBroadcast(op: Operation, view: View, { dims }: Constant): void {
  const skip = view.dims.length - dims.length
  dims.forEach((d, i) => {
    const dim = view.dims[skip + i]!
    if (d === 1) return
    if (isBatch(dim))
      throw op.unsupported(`its constant of shape [${dims}] differs along the batch`, 'use one value for all images')
    const size = dimSize(dim)
    if (size === 1)
      throw op.unsupported(
        `its constant of shape [${dims}] widens a value of shape ${op.describe(view)}`,
        "add constants of the value's own shape or smaller",
      )
    if (size !== d)
      throw op.malformed(
        `meets a constant of shape [${dims}] with a value of shape ${op.describe(view)}: they do not fit`,
      )
  })
}

/** Dimensions along which nothing changes become 1. */
function collapse({ type, dims, data }: Constant): Constant {
  const sizes = [...dims]
  let values = data
  for (let axis = sizes.length - 1; axis >= 0; axis--) {
    const inner = sizeOf(sizes.slice(axis + 1))
    const count = sizes[axis]!
    if (count <= 1) continue
    const block = inner * count
    if (!values.every((v, i) => Object.is(v, values[i - (i % block) + (i % inner)]!))) continue
    values = values.filter((_, i) => i % block < inner)
    sizes[axis] = 1
  }
  return { type, dims: sizes, data: values }
}

/** undefined when the constant changes within a channel. */
function spread(view: View, shape: Shape, { dims, data }: Constant): Float64Array | undefined {
  const inner = sizeOf(shape.slice(1))
  const skip = view.dims.length - dims.length
  const steps: { readonly size: number; readonly every: number; readonly weight: number }[] = []
  let weight = 1
  for (let i = dims.length - 1; i >= 0; i--) {
    if (dims[i] === 1) continue
    for (const atom of [...view.dims[skip + i]!].reverse()) {
      if (atom.size === 1) continue
      if (atom.stride < inner || atom.stride % inner !== 0) return undefined
      steps.push({ size: atom.size, every: atom.stride / inner, weight })
      weight *= atom.size
    }
  }
  return Float64Array.from({ length: shape[0]! }, (_, c) => {
    const index = steps.reduce((sum, { size, every, weight: w }) => sum + (Math.floor(c / every) % size) * w, 0)
    return data[index]!
  })
}
