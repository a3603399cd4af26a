/** The attributes that all sliding windows share. */
import type { Padding, Pair } from '@he-ml/nn-layers'
import type { PadNode } from '../graph.ts'
import type { Operation } from '../operation.ts'

export interface WindowSize {
  readonly kernel: Pair
  readonly stride: Pair
  readonly dilation: Pair
}

/** @param otherwise what the weights say */
export function kernelOf(op: Operation, otherwise?: Pair): Pair {
  const given = op.attributes.ints('kernel_shape')
  if (!given) {
    if (otherwise) return otherwise
    throw op.malformed('has no kernel_shape')
  }
  if (given.length !== 2) throw op.unsupported(`its kernel_shape is [${given}]`, 'use two-dimensional windows')
  if (otherwise && (given[0] !== otherwise[0] || given[1] !== otherwise[1]))
    throw op.malformed(`has kernel_shape [${given}], but weights for [${otherwise}]`)
  if (given.some((v) => v < 1)) throw op.malformed(`has kernel_shape [${given}], expected sizes above 0`)
  return given as unknown as Pair
}

export function pairOf(op: Operation, name: string, otherwise: number): Pair {
  const given = op.attributes.ints(name) ?? [otherwise, otherwise]
  if (given.length !== 2 || given.some((v) => v < 1)) throw op.malformed(`has ${name} [${given}], expected two above 0`)
  return given as unknown as Pair
}

export function paddingOf(op: Operation, image: readonly [number, number, number], size: WindowSize): Padding {
  const { kernel, stride, dilation } = size
  const mode = op.attributes.string('auto_pad', 'NOTSET')
  const given = op.attributes.ints('pads') ?? [0, 0, 0, 0]
  if (given.length !== 4) throw op.malformed(`has pads [${given}], expected four`)
  if (given.some((p) => p < 0)) throw op.unsupported(`its pads [${given}] crop the image`, 'use pads of at least 0')
  if (mode === 'NOTSET' || mode === '') return given as unknown as Padding
  if (mode === 'VALID') return [0, 0, 0, 0]
  if (mode !== 'SAME_UPPER' && mode !== 'SAME_LOWER') throw op.malformed(`has auto_pad "${mode}"`)
  const total = [0, 1].map((a) => {
    const out = Math.ceil(image[a + 1]! / stride[a]!)
    return Math.max(0, (out - 1) * stride[a]! + dilation[a]! * (kernel[a]! - 1) + 1 - image[a + 1]!)
  }) as [number, number]
  const small = total.map((t) => Math.floor(t / 2)) as [number, number]
  const large = total.map((t) => Math.ceil(t / 2)) as [number, number]
  const [begin, end] = mode === 'SAME_UPPER' ? [small, large] : [large, small]
  return [begin[0], begin[1], end[0], end[1]]
}

/** @throws FormatError when the window is larger than the padded image */
export function checkFits(op: Operation, image: readonly number[], size: WindowSize, padding: Padding): void {
  for (const a of [0, 1]) {
    const room = image[a + 1]! + padding[a]! + padding[a + 2]!
    const span = size.dilation[a]! * (size.kernel[a]! - 1) + 1
    if (span > room)
      throw op.malformed(
        `has a window of ${span} ${a === 0 ? 'rows' : 'columns'} that does not fit the padded image of ${room}`,
      )
  }
}

export const addPadding = (a: Padding, b: Padding) => a.map((p, i) => p + b[i]!) as unknown as Padding

/** The Pad that a node is, if a window can take it over: zeros around an image only. */
export function foldablePad(op: Operation, id: string): PadNode | undefined {
  const node = op.context.graph.node(id)
  const isPlain = node.kind === 'pad' && node.shape.length === 3 && [...node.channels].every((p) => p === 0)
  return isPlain && node.stride.every((s) => s === 1) ? node : undefined
}
