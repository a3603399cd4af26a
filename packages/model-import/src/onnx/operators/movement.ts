/** Operators that compute nothing: they only change how a value is seen. */
import { isFloat } from '../constant.ts'
import type { Operation, Translate } from '../operation.ts'
import { elementType, elementTypeLabel } from '../tensor-data.ts'
import { type Dim, dimSize, isBatch, reshaped, sizesOf, type View, type WantedDim } from '../view.ts'
import { axesOf, axisOf } from './axes.ts'
import { copied } from './in-place.ts'
import { axisSlice, sliced } from './slices.ts'

export const identityOf: Translate = (op) => op.emit(op.view(0, { integer: true }))

export const dropout: Translate = (op) => {
  op.attributes.ignore('ratio', 'seed')
  if (op.has(2) && op.constant(2, 'training_mode').data[0] !== 0)
    throw op.unsupported('it is in training mode', 'export the model in evaluation mode')
  op.emit(op.view(0))
}

/** Between floating-point types nothing is computed: the model works in float64. */
export const castOf: Translate = (op) => {
  op.attributes.ignore('saturate', 'round_mode')
  const code = op.attributes.int('to', 0)
  const to = elementType(code)
  const view = op.view(0, { integer: true })
  if (to && isFloat(to)) op.emit({ ...view, integer: false })
  else
    throw op.unsupported(
      `it casts a computed value to ${elementTypeLabel(code)}, which rounds`,
      'keep what depends on the image in floating point',
    )
}

export const transposeOf: Translate = (op) => {
  const view = op.view(0, { integer: true })
  const rank = view.dims.length
  const perm = op.attributes.ints('perm') ?? view.dims.map((_, i) => rank - 1 - i)
  if (perm.length !== rank || [...perm].sort((a, b) => a - b).some((p, i) => p !== i))
    throw op.malformed(`has perm [${perm}], which does not order ${rank} axes`)
  op.emit({ ...view, dims: perm.map((p) => view.dims[p]!) })
}

export const flattenOf: Translate = (op) => {
  const view = op.view(0, { integer: true })
  const rank = view.dims.length
  const given = op.attributes.int('axis', 1)
  const axis = given < 0 && op.context.opset >= 11 ? given + rank : given
  if (axis < 0 || axis > rank) throw op.malformed(`has axis ${given} for a value of ${rank} axes`)
  op.emit({ ...view, dims: [view.dims.slice(0, axis).flat(), view.dims.slice(axis).flat()] })
}

export const reshapeOf: Translate = (op) => {
  const { data, batch, dims } = op.constant(1, 'target shape')
  const keepsZero = op.attributes.int('allowzero', 0) !== 0
  const view = op.view(0, { integer: true })
  if (dims.length !== 1) throw op.malformed(`has a target shape of shape [${dims}], expected a list`)
  const label = `[${[...data].map((d, i) => (batch?.[i] ? `${batch[i]}*batch` : d))}]`
  let open = 0
  const wanted = [...data].map((d, i): WantedDim | undefined => {
    const multiple = batch?.[i] ?? 0
    if (multiple !== 0 && d !== 0)
      throw op.unsupported(`its target ${label} adds to the batch size`, 'fix the batch size')
    if (multiple !== 0) return { size: multiple, batch: true }
    if (d === 0 && !keepsZero) return copiedDim(op, view, i)
    if (d === -1 && open++ === 0) return undefined
    if (!Number.isSafeInteger(d) || d < 0) throw op.malformed(`has the target shape ${label}`)
    return { size: d, batch: false }
  })
  // an open batch that the exporter wrote down as 1: the model sees one image anyway
  const [first] = wanted
  const openBatch = op.context.batch === undefined && !wanted.some((w) => w?.batch)
  if (openBatch && first?.size === 1 && view.dims.some(isBatch)) wanted[0] = { size: 1, batch: true }
  op.emit(reshapedView(op, view, wanted, label))
}

function copiedDim(op: Operation, view: View, index: number): WantedDim {
  const dim = view.dims[index]
  if (!dim) throw op.malformed(`copies axis ${index} of ${op.describe(view)}, which has none`)
  return {
    size: dimSize(dim) * (isBatch(dim) ? (op.context.batch ?? 1) : 1),
    batch: isBatch(dim) && op.context.batch === undefined,
  }
}

function reshapedView(op: Operation, view: View, wanted: readonly (WantedDim | undefined)[], label: string): View {
  const { batch } = op.context
  let found = reshaped(view.dims, wanted, batch)
  let from = view
  if ('problem' in found && found.problem === 'order') {
    from = copied(op, view).view
    found = reshaped(from.dims, wanted, batch)
  }
  if ('dims' in found) return { ...from, dims: found.dims }
  if (found.problem === 'size' && (batch !== undefined || wanted.some((w) => w === undefined || w.batch)))
    throw op.malformed(`cannot make ${label} of ${op.describe(view)}: the sizes differ`)
  throw op.unsupported(
    `its target ${label} does not keep the batch dimension of ${op.describe(view)}`,
    'reshape within one image, for example to [batch, -1]',
  )
}

export const squeeze: Translate = (op) => {
  const view = op.view(0, { integer: true })
  const isSingle = (d: Dim) => dimSize(d) === 1 && !isBatch(d)
  const axes = axesOf(op, view.dims.length) ?? view.dims.flatMap((d, i) => (isSingle(d) ? [i] : []))
  const wrong = axes.find((a) => !isSingle(view.dims[a]!))
  if (wrong !== undefined && isBatch(view.dims[wrong]!))
    throw op.unsupported(
      `it removes the batch dimension of ${op.describe(view)}`,
      'keep the batch, or fix its size to 1',
    )
  if (wrong !== undefined) throw op.malformed(`removes axis ${wrong} of ${op.describe(view)}, which is not of size 1`)
  op.emit({ ...view, dims: view.dims.filter((_, i) => !axes.includes(i)) })
}

export const unsqueeze: Translate = (op) => {
  const view = op.view(0, { integer: true })
  const given = op.context.opset >= 13 ? op.integers(1, 'axes') : (op.attributes.ints('axes') ?? [])
  const rank = view.dims.length + given.length
  const axes = given.map((a) => axisOf(op, a, rank))
  if (new Set(axes).size !== axes.length) throw op.malformed(`has axes [${given}], some of them twice`)
  const rest = [...view.dims]
  op.emit({ ...view, dims: Array.from({ length: rank }, (_, i) => (axes.includes(i) ? [] : rest.shift()!)) })
}

export const sliceOf: Translate = (op) => {
  const view = op.view(0, { integer: true })
  const attribute = (name: string, needed: boolean) => {
    const list = op.attributes.roughInts(name)
    if (!list && needed) throw op.malformed(`has no ${name}`)
    return list
  }
  const old = op.context.opset < 10
  const starts = old ? attribute('starts', true)! : op.integers(1, 'starts')
  const ends = old ? attribute('ends', true)! : op.integers(2, 'ends')
  const given = old ? attribute('axes', false) : op.has(3) ? op.integers(3, 'axes') : undefined
  const steps = !old && op.has(4) ? op.integers(4, 'steps') : starts.map(() => 1)
  const axes = (given ?? starts.map((_, i) => i)).map((a) => axisOf(op, a, view.dims.length))
  if ([ends, axes, steps].some((l) => l.length !== starts.length) || new Set(axes).size !== axes.length)
    throw op.malformed(
      `has starts [${starts}], ends [${ends}], axes [${axes}] and steps [${steps}], which do not match`,
    )
  if (steps.includes(0)) throw op.malformed('has a step of 0')
  const slices = new Map(
    axes.flatMap((axis, i) => {
      const dim = view.dims[axis]!
      const [start, end] = [starts[i]!, ends[i]!]
      if (isBatch(dim) && start === 0 && steps[i] === 1 && end >= Math.max(2 ** 31 - 1, op.context.batch ?? 0))
        return []
      const size = sizesOf([dim])[0]! * (isBatch(dim) ? (op.context.batch ?? 0) : 1)
      if (isBatch(dim) && axisSlice(size, start, end, steps[i]!).count !== op.context.batch)
        throw op.unsupported('it slices the batch', 'keep all images')
      return isBatch(dim) ? [] : [[axis, axisSlice(size, start, end, steps[i]!)] as const]
    }),
  )
  op.emit(sliced(op, view, slices))
}
