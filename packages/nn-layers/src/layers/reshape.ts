/** Layers that only rename: no slot moves, no level. */
import { InvalidArgumentError, UnsupportedError } from '@he-ml/ckks-core'
import {
  createTensor,
  type Layer,
  type LoweredLayer,
  layoutPositions,
  type MultiplexedGrid,
  type MultiplexedLayout,
  type Shape,
  type SlotLayout,
  sameShape,
  sizeOf,
  type Tensor,
} from '@he-ml/packing'
import { unsupportedLayout } from '../lowered/lower-linear.ts'
import { createLowered } from '../lowered/lowered-layer.ts'
import { only } from './single-input.ts'

/** See {@link flatten}, {@link reshape} and {@link identity}. */
export class ReshapeLayer implements Layer {
  readonly kind: 'flatten' | 'reshape' | 'identity'
  readonly arity = 1
  readonly homogeneous = true
  readonly name: string
  /** Absent for flatten and identity. */
  readonly shape: Shape | undefined

  constructor(kind: 'flatten' | 'reshape' | 'identity', name: string, shape?: Shape) {
    this.kind = kind
    this.name = name
    this.shape = shape
  }

  outputShape(inputs: readonly Shape[]): Shape {
    const shape = only(this.name, inputs)
    if (this.kind === 'identity') return shape
    const result = this.shape ?? [sizeOf(shape)]
    if (sizeOf(result) !== sizeOf(shape))
      throw new InvalidArgumentError(
        `layer "${this.name}": cannot make [${result}] (${sizeOf(result)} elements) of [${shape}] (${sizeOf(shape)})`,
      )
    return result
  }
  forward(inputs: readonly Tensor[]): Tensor {
    const input = only(this.name, inputs)
    return createTensor(this.outputShape([input.shape]), input.data)
  }
  lower(inputs: readonly SlotLayout[]): LoweredLayer {
    const input = only(this.name, inputs)
    return createLowered({
      name: this.name,
      inputs: [input],
      output: this.#layout(input, this.outputShape([input.shape])),
      depth: 0,
      // handles are immutable: a copy at the same level shares the polynomials
      prepare:
        async () =>
        async ({ engine, inputs }) =>
          inputs[0]!.map((x) => engine.dropLevel(x, x.level)),
    })
  }

  #layout(input: SlotLayout, shape: Shape): SlotLayout {
    if (sameShape(shape, input.shape)) return input
    if (input.kind === 'batch') return { ...input, shape }
    if (input.kind === 'channel') throw unsupportedLayout(this.name, input)
    const positions = [...layoutPositions(input)]
    return { ...input, shape, grid: this.#grid(input, shape, positions) }
  }

  #grid(input: MultiplexedLayout, shape: Shape, positions: readonly number[]): MultiplexedGrid {
    const { gaps } = input.grid
    if (shape.length === 1) return { rowStride: 1, columnStride: 1, channelOffsets: positions, gaps }
    if (shape.length === 3) {
      const [channels, height, width] = shape as [number, number, number]
      const channelOffsets = Array.from({ length: channels }, (_, c) => positions[c * height * width]!)
      const columnStride = width > 1 ? positions[1]! - positions[0]! : 1
      const rowStride = height > 1 ? positions[width]! - positions[0]! : 1
      const grid: MultiplexedGrid = { rowStride, columnStride, channelOffsets, gaps }
      const regular = rowStride > 0 && columnStride > 0
      if (regular && layoutPositions({ ...input, shape, grid }).every((p, i) => p === positions[i])) return grid
    }
    throw new UnsupportedError(
      `layer "${this.name}": [${shape}] made of [${input.shape}] does not lie on a regular grid of slots: use the batch layout, or keep the shape until after the next linear layer`,
    )
  }
}

/** [channels, height, width] -> [features], row-major. */
export const flatten = (options: { readonly name: string }): ReshapeLayer => new ReshapeLayer('flatten', options.name)

/** Another shape of the same size, row-major. @throws InvalidArgumentError for sizes that are not positive integers */
export function reshape(options: { readonly name: string; readonly shape: Shape }): ReshapeLayer {
  if (options.shape.length === 0 || options.shape.some((d) => !Number.isInteger(d) || d < 1))
    throw new InvalidArgumentError(`layer "${options.name}": a shape needs positive integers, got [${options.shape}]`)
  return new ReshapeLayer('reshape', options.name, [...options.shape])
}

/** Nothing. */
export const identity = (options: { readonly name: string }): ReshapeLayer => new ReshapeLayer('identity', options.name)
