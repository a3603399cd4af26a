/** Steps that move elements or change shapes: Transpose, Reshape, Squeeze, Unsqueeze, Flatten, Slice, Pad. */
import type { Sketch, Value } from './random-graphs.ts'
import type { Step } from './random-steps.ts'

const MOST = 2n ** 63n - 1n

const transpose: Step = (s, v) => {
  if (v.dims.length < 3) return undefined
  const rest = v.dims.map((_, i) => i).slice(1)
  const nhwc =
    v.dims.length === 4
      ? s.pick([
          [2, 3, 1],
          [3, 1, 2],
          [2, 1, 3],
        ])
      : [...rest].reverse()
  const perm = [0, ...nhwc]
  return s.value(
    s.node('Transpose', [v.name], { perm }),
    perm.map((p) => v.dims[p]!),
  )
}

/** A target of the same size, in one of its spellings. */
const reshape: Step = (s, v) => {
  const size = v.dims.reduce((a, b) => a * b, 1)
  const divisors = Array.from({ length: size }, (_, i) => i + 1).filter((d) => size % d === 0)
  const first = s.pick(divisors)
  const second = s.pick(divisors.filter((d) => (size / first) % d === 0))
  const inner = s.pick([[size], [first, size / first], [first, second, size / first / second], v.dims.slice(1)])
  if (inner.length === 0 || inner.reduce((a, b) => a * b, 1) !== size) return undefined
  const form = s.int(0, 3)
  const open = s.int(0, inner.length - 1)
  const guessed = inner.map((d, i) => (i === open ? -1 : d))
  const dims = [1, ...inner]
  if (form === 0) return s.value(s.node('Reshape', [v.name, s.ints(0, ...guessed)]), dims)
  if (form === 1) return s.value(s.node('Reshape', [v.name, s.ints(-1, ...inner)]), dims)
  if (form === 2 && !s.openBatch) return s.value(s.node('Reshape', [v.name, s.ints(1, ...guessed)]), dims)
  return s.value(s.node('Reshape', [v.name, targetFromShape(s, v, guessed)]), dims)
}

/** x.size(0) and numbers, as PyTorch writes x.view(x.size(0), ...). */
function targetFromShape(s: Sketch, v: Value, rest: readonly number[]): string {
  const shape = s.node('Shape', [v.name])
  const batch = s.node('Gather', [shape, s.constant({ dims: [], data: [0], type: 7 })], { axis: 0 })
  const list = s.opset >= 13 ? s.node('Unsqueeze', [batch, s.ints(0)]) : s.node('Unsqueeze', [batch], { axes: [0] })
  return s.node('Concat', [list, s.ints(...rest)], { axis: 0 })
}

const flatten: Step = (s, v) => {
  const size = v.dims.reduce((a, b) => a * b, 1)
  const attributes = s.chance(0.5) ? { axis: 1 } : undefined
  return s.value(s.node('Flatten', [v.name], attributes), [1, size])
}

const squeeze: Step = (s, v) => {
  const single = v.dims.flatMap((d, i) => (i > 0 && d === 1 ? [i] : []))
  if (single.length === 0) return undefined
  const axes = single.filter((_, i) => i === 0 || s.chance(0.5))
  const name = s.opset >= 13 ? s.node('Squeeze', [v.name, s.ints(...axes)]) : s.node('Squeeze', [v.name], { axes })
  return s.value(
    name,
    v.dims.filter((_, i) => !axes.includes(i)),
  )
}

const unsqueeze: Step = (s, v) => {
  if (v.dims.length > 3) return undefined
  const axis = s.int(1, v.dims.length)
  const name =
    s.opset >= 13 ? s.node('Unsqueeze', [v.name, s.ints(axis)]) : s.node('Unsqueeze', [v.name], { axes: [axis] })
  return s.value(name, [...v.dims.slice(0, axis), 1, ...v.dims.slice(axis)])
}

const slice: Step = (s, v) => {
  const axes = v.dims
    .map((_, i) => i)
    .slice(1)
    .filter(() => s.chance(0.5))
  if (axes.length === 0) return undefined
  const parts = axes.map((axis) => {
    const size = v.dims[axis]!
    const step = s.opset < 10 ? 1 : s.pick([1, 1, 2, 2, 3, -1, -2])
    if (step < 0) return { start: -1n, end: -MOST, step, count: Math.ceil(size / -step) }
    const start = s.int(0, Math.min(1, size - 1))
    const end = s.chance(0.6) ? MOST : BigInt(s.int(start + 1, size))
    const stop = end === MOST ? size : Number(end)
    return { start: BigInt(start), end, step, count: Math.ceil((stop - start) / step) }
  })
  const dims = v.dims.map((d, i) => (axes.includes(i) ? parts[axes.indexOf(i)]!.count : d))
  const [starts, ends] = [parts.map((p) => p.start), parts.map((p) => p.end)]
  const inputs = () => [s.ints(...starts), s.ints(...ends), s.ints(...axes), s.ints(...parts.map((p) => p.step))]
  const name =
    s.opset < 10
      ? s.node('Slice', [v.name], {
          starts: starts.map(Number),
          // before operator set 10 PyTorch wrote the same end
          ends: ends.map((e) => (e === MOST ? 2 ** 53 : Number(e))),
          axes,
        })
      : s.node('Slice', [v.name, ...inputs()])
  return s.value(name, dims)
}

const pad: Step = (s, v) => {
  const rank = v.dims.length
  const wide = rank === 4 ? 3 : 2
  const side = (i: number) => (i === 0 || s.chance(0.5) ? 0 : s.int(v.dims[i]! > 2 ? -1 : 0, wide))
  const [before, after] = [v.dims.map((_, i) => side(i)), v.dims.map((_, i) => side(i))]
  const dims = v.dims.map((d, i) => d + before[i]! + after[i]!)
  if (dims.some((d) => d < 1) || dims.reduce((a, b) => a * b, 1) > 4000) return undefined
  const pads = [...before, ...after]
  if (s.opset < 11) return s.value(s.node('Pad', [v.name], { pads }), dims)
  if (s.opset >= 18 && s.chance(0.5)) {
    const axes = v.dims.map((_, i) => i).slice(1)
    const some = [...before.slice(1), ...after.slice(1)]
    return s.value(s.node('Pad', [v.name, s.ints(...some), '', s.ints(...axes)]), dims)
  }
  return s.value(s.node('Pad', [v.name, s.chance(0.5) ? s.ints(...pads) : padsOfTorch(s, before, after)]), dims)
}

/** The chain of constants that PyTorch's exporter makes of F.pad(x, ...). */
function padsOfTorch(s: Sketch, before: readonly number[], after: readonly number[]): string {
  // innermost axis first, pairs of (before, after); missing axes are filled with zeros
  const pairs = before.flatMap((b, i) => [[b, after[i]!]]).reverse()
  const given = pairs.slice(0, -1).flat()
  const zeros = s.node('ConstantOfShape', [s.ints(2)], { value: { tensor: { dims: [1], data: [0], type: 7 } } })
  const all = s.node('Concat', [s.ints(...given), zeros], { axis: 0 })
  const rows = s.node('Reshape', [all, s.ints(-1, 2)])
  const turned = s.node('Slice', [rows, s.ints(-1n), s.ints(-MOST), s.ints(0), s.ints(-1)])
  const columns = s.node('Transpose', [turned], { perm: [1, 0] })
  return s.node('Cast', [s.node('Reshape', [columns, s.ints(-1)])], { to: 7 })
}

export const MOVES: readonly Step[] = [transpose, transpose, reshape, flatten, squeeze, unsqueeze, slice, pad, pad]
