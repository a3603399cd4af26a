/** Layers that only rename: no slot moves, no level. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { FloatBatch, FloatKernels, FloatLayer } from '@he-ml/float-kernels'
import { createTensor, digestText, type Layer, type Shape, sameShape, sizeOf, type Tensor } from '@he-ml/model'
import { createLowered, type Lowerable, type LoweredLayer, type SlotLayout } from '@he-ml/packing'
import { renameSlots } from '../lowered/rename-slots.ts'
import { checkLayerOptions } from './layer-options.ts'
import { only } from './single-input.ts'

/** See {@link flatten}, {@link reshape} and {@link identity}. */
export class ReshapeLayer implements Layer, FloatLayer, Lowerable {
  readonly kind: 'flatten' | 'reshape' | 'identity'
  readonly arity = 1
  readonly homogeneous = true
  /** Elements stay in order: the channels of one shape are runs of those of the other, or the numbers of both tell that they are not. */
  readonly channelwise = true
  readonly name: string
  /** Absent for flatten and identity. */
  readonly shape: Shape | undefined

  constructor(kind: 'flatten' | 'reshape' | 'identity', name: string, shape?: Shape) {
    this.kind = kind
    this.name = name
    this.shape = shape
  }

  digestParts(): readonly Uint8Array[] {
    return [digestText(this.shape ?? null)]
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
  async forwardFloat(_: FloatKernels<Float32Array>, inputs: readonly FloatBatch[]): Promise<FloatBatch> {
    const input = only(this.name, inputs)
    return { ...input, shape: this.outputShape([input.shape]) }
  }
  lower(inputs: readonly SlotLayout[]): LoweredLayer {
    const input = only(this.name, inputs)
    return createLowered({
      name: this.name,
      inputs: [input],
      output: this.#layout(input),
      depth: 0,
      // handles are immutable: a copy at the same level shares the polynomials
      prepare:
        async () =>
        async ({ engine, inputs }) =>
          inputs[0]!.map((x) => engine.dropLevel(x, x.level)),
    })
  }

  #layout(input: SlotLayout): SlotLayout {
    const shape = this.outputShape([input.shape])
    return sameShape(shape, input.shape) ? input : renameSlots({ name: this.name, shape }, input).output
  }
}

/** [channels, height, width] -> [features], row-major. */
export const flatten = (options: { readonly name: string }): ReshapeLayer =>
  new ReshapeLayer('flatten', checkLayerOptions('flatten', options).name)

/** Another shape of the same size, row-major. @throws InvalidArgumentError for sizes that are not positive integers */
export function reshape(options: { readonly name: string; readonly shape: Shape }): ReshapeLayer {
  checkLayerOptions('reshape', options)
  if (options.shape.length === 0 || options.shape.some((d) => !Number.isInteger(d) || d < 1))
    throw new InvalidArgumentError(`layer "${options.name}": a shape needs positive integers, got [${options.shape}]`)
  return new ReshapeLayer('reshape', options.name, [...options.shape])
}

/** Nothing. */
export const identity = (options: { readonly name: string }): ReshapeLayer =>
  new ReshapeLayer('identity', checkLayerOptions('identity', options).name)
