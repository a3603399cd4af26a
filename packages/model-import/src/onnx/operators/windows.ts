/** Conv, pooling and Pad: everything with a sliding window. */
import { averagePool2d, conv2d, globalAveragePool, type Padding, type Pair, reshape } from '@he-ml/nn-layers'
import { createTensor } from '@he-ml/packing'
import type { PadNode } from '../graph.ts'
import type { Operation, Translate } from '../operation.ts'

export const conv: Translate = (op) => {
  const image = op.image(0)
  const { dims, data } = op.constant(1, 'weights')
  if (dims.length !== 4)
    throw op.unsupported(
      `its weights have shape [${dims}]`,
      'use two-dimensional convolutions (four-dimensional weights)',
    )
  const kernel = kernelOf(op, [dims[2]!, dims[3]!])
  const stride = pairOf(op, 'strides', 1)
  const dilation = pairOf(op, 'dilations', 1)
  const own = paddingOf(op, image, { kernel, stride, dilation })
  const groups = op.attributes.int('group', 1)
  const bias = op.has(2) ? { bias: op.constant(2, 'bias').data } : {}
  const weights = createTensor(dims, data)
  const pad = foldedPad(op)
  const padding = pad ? add(own, pad.padding) : own
  op.addLayer(conv2d({ name: op.name, weights, stride, dilation, padding, groups, ...bias }), [
    pad ? pad.inputs[0]! : op.value(0),
  ])
}

export const averagePool: Translate = (op) => {
  const image = op.image(0)
  const kernel = kernelOf(op)
  const stride = pairOf(op, 'strides', 1)
  if (pairOf(op, 'dilations', 1).some((d) => d !== 1))
    throw op.unsupported('it has dilations', 'pool without dilations')
  const own = paddingOf(op, image, { kernel, stride, dilation: [1, 1] })
  const counted = op.attributes.int('count_include_pad', 0) !== 0
  if (op.attributes.int('ceil_mode', 0) !== 0) {
    const uneven = [0, 1].some((a) => (image[a + 1]! + own[a]! + own[a + 2]! - kernel[a]!) % stride[a]! !== 0)
    if (uneven) throw op.unsupported('ceil_mode adds a partial window', 'pad or crop the image, or set ceil_mode to 0')
  }
  const bare = own.every((p) => p === 0)
  const pad = counted || bare ? foldedPad(op) : undefined
  const padding = pad ? add(own, pad.padding) : own
  const countPadding = counted || pad !== undefined
  op.addLayer(averagePool2d({ name: op.name, kernel, stride, padding, countPadding }), [
    pad ? pad.inputs[0]! : op.value(0),
  ])
}

export const globalAverage: Translate = (op) => {
  op.image(0)
  op.addLayer(globalAveragePool({ name: op.name }))
}

export const reduceMean: Translate = (op) => {
  const [channels] = op.image(0)
  const axes = op.has(1) ? [...op.constant(1, 'axes').data] : op.attributes.ints('axes')
  const spatial = axes?.map((a) => (a < 0 ? a + 4 : a)).sort((a, b) => a - b)
  if (spatial?.join() !== '2,3')
    throw op.unsupported(`it averages over axes [${axes ?? 'all'}]`, 'average over height and width, axes [2, 3]')
  op.attributes.ignore('noop_with_empty_axes')
  if (op.attributes.int('keepdims', 1) !== 0) {
    op.addLayer(globalAveragePool({ name: op.name }))
    return
  }
  const { graph } = op.context
  const inner = `${op.output}#mean`
  graph.addLayer(inner, globalAveragePool({ name: op.name }), [op.value(0)])
  graph.addLayer(op.output, reshape({ name: graph.uniqueName(`${op.name}_squeeze`), shape: [channels] }), [inner])
}

export const pad: Translate = (op) => {
  const [channels, height, width] = op.image(0)
  const mode = op.attributes.string('mode', 'constant')
  if (mode !== 'constant') throw op.unsupported(`its mode is "${mode}"`, 'pad with zeros (mode "constant")')
  const value = op.has(2) ? (op.constant(2, 'value').data[0] ?? 0) : op.attributes.float('value', 0)
  if (value !== 0) throw op.unsupported(`it pads with ${value}`, 'pad with zeros')
  const pads = op.has(1) ? [...op.constant(1, 'pads').data] : op.attributes.ints('pads')
  if (op.has(3)) throw op.unsupported('it names axes', 'give pads for all four axes')
  if (pads?.length !== 8 || pads.some((p) => !Number.isSafeInteger(p)))
    throw op.malformed(`needs eight integer pads for four axes, got [${pads ?? ''}]`)
  const [n0, c0, top, left, n1, c1, bottom, right] = pads as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  if ([n0, c0, n1, c1].some((p) => p !== 0) || [top, left, bottom, right].some((p) => p < 0))
    throw op.unsupported(`its pads are [${pads}]`, 'pad height and width only, by non-negative numbers')
  const shape = [channels, height + top + bottom, width + left + right]
  const inputs = [op.context.graph.resolve(op.value(0))]
  op.context.graph.set(op.output, { kind: 'pad', name: op.name, inputs, shape, padding: [top, left, bottom, right] })
}

/** The Pad before this window, when nobody else reads it. */
function foldedPad(op: Operation): PadNode | undefined {
  const before = op.node(0)
  return before.kind === 'pad' && op.context.graph.hasOneUse(op.value(0)) ? before : undefined
}

const add = (a: Padding, b: Padding) => a.map((p, i) => p + b[i]!) as unknown as Padding

function kernelOf(op: Operation, otherwise?: Pair): Pair {
  const given = op.attributes.ints('kernel_shape')
  if (!given) {
    if (otherwise) return otherwise
    throw op.malformed('has no kernel_shape')
  }
  if (given.length !== 2) throw op.unsupported(`its kernel_shape is [${given}]`, 'use two-dimensional windows')
  if (otherwise && (given[0] !== otherwise[0] || given[1] !== otherwise[1]))
    throw op.malformed(`has kernel_shape [${given}], but weights for [${otherwise}]`)
  return given as unknown as Pair
}

function pairOf(op: Operation, name: string, otherwise: number): Pair {
  const given = op.attributes.ints(name) ?? [otherwise, otherwise]
  if (given.length !== 2 || given.some((v) => v < 1)) throw op.malformed(`has ${name} [${given}], expected two above 0`)
  return given as unknown as Pair
}

function paddingOf(
  op: Operation,
  [, height, width]: readonly [number, number, number],
  { kernel, stride, dilation }: { kernel: Pair; stride: Pair; dilation: Pair },
): Padding {
  const mode = op.attributes.string('auto_pad', 'NOTSET')
  const given = op.attributes.ints('pads') ?? [0, 0, 0, 0]
  if (given.length !== 4) throw op.malformed(`has pads [${given}], expected four`)
  if (given.some((p) => p < 0)) throw op.unsupported(`its pads [${given}] crop the image`, 'use pads of at least 0')
  if (mode === 'NOTSET' || mode === '') return given as unknown as Padding
  if (mode === 'VALID') return [0, 0, 0, 0]
  if (mode !== 'SAME_UPPER' && mode !== 'SAME_LOWER') throw op.malformed(`has auto_pad "${mode}"`)
  const total = [height, width].map((size, a) => {
    const out = Math.ceil(size / stride[a]!)
    return Math.max(0, (out - 1) * stride[a]! + dilation[a]! * (kernel[a]! - 1) + 1 - size)
  }) as [number, number]
  const small = total.map((t) => Math.floor(t / 2)) as [number, number]
  const large = total.map((t) => Math.ceil(t / 2)) as [number, number]
  const [begin, end] = mode === 'SAME_UPPER' ? [small, large] : [large, small]
  return [begin[0], begin[1], end[0], end[1]]
}
