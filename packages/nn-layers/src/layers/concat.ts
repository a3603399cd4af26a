/**
 * Channels of several tensors, one tensor behind the other: ciphertexts put into one list, at no level. What must fit is how elements lie
 * within a ciphertext.
 */
import { InvalidArgumentError, UnsupportedError } from '@he-ml/ckks-core'
import type { FloatBatch, FloatKernels, FloatLayer } from '@he-ml/float-kernels'
import { createTensor, digestText, type Layer, type Shape, sizeOf, type Tensor } from '@he-ml/model'
import { createLowered, type Lowerable, type LoweredLayer, type SlotLayout } from '@he-ml/packing'
import { joinLayouts } from '../lowered/join-layouts.ts'
import { checkLayerOptions } from './layer-options.ts'

/** Options of {@link concat}. */
export interface ConcatOptions {
  /** Names the layer in models, plans and errors. */
  readonly name: string
  /** How many tensors, at least 2. */
  readonly inputs: number
}

/** See {@link concat}. */
export class ConcatLayer implements Layer, FloatLayer, Lowerable {
  readonly kind = 'concat'
  readonly arity: number
  readonly homogeneous = true
  readonly name: string

  constructor({ name, inputs }: ConcatOptions) {
    if (!Number.isInteger(inputs) || inputs < 2)
      throw new InvalidArgumentError(`layer "${name}": expected at least 2 inputs to put together, got ${inputs}`)
    this.name = name
    this.arity = inputs
  }

  digestParts(): readonly Uint8Array[] {
    return [digestText(this.arity)]
  }
  outputShape(inputs: readonly Shape[]): Shape {
    const [first] = inputs
    const fits = inputs.every(
      (shape) => String(shape.slice(1)) === String(first!.slice(1)) && shape.length === first!.length,
    )
    if (inputs.length !== this.arity || !first || !fits)
      throw new InvalidArgumentError(
        `layer "${this.name}": expected ${this.arity} inputs that differ in their channels only, got ${inputs.map((s) => `[${s}]`).join(' and ')}`,
      )
    return [inputs.reduce((sum, [channels]) => sum + channels!, 0), ...first.slice(1)]
  }
  forward(inputs: readonly Tensor[]): Tensor {
    const shape = this.outputShape(inputs.map((tensor) => tensor.shape))
    const data = new Float64Array(sizeOf(shape))
    let at = 0
    for (const tensor of inputs) {
      data.set(tensor.data, at)
      at += tensor.data.length
    }
    return createTensor(shape, data)
  }
  async forwardFloat(_: FloatKernels<Float32Array>, inputs: readonly FloatBatch[]): Promise<FloatBatch> {
    const shape = this.outputShape(inputs.map((batch) => batch.shape))
    const { count } = inputs[0]!
    const data = new Float32Array(count * sizeOf(shape))
    let at = 0
    for (let n = 0; n < count; n++)
      for (const batch of inputs) {
        const size = sizeOf(batch.shape)
        data.set(batch.data.subarray(n * size, (n + 1) * size), at)
        at += size
      }
    return { shape, count, data }
  }
  lower(inputs: readonly SlotLayout[]): LoweredLayer {
    const shape = this.outputShape(inputs.map((layout) => layout.shape))
    const joined = joinLayouts(inputs, shape)
    if ('problem' in joined)
      throw new UnsupportedError(
        `layer "${this.name}": its inputs (${inputs.map((l) => `[${l.shape}]`).join(', ')}) ${joined.problem}`,
      )
    return createLowered({
      name: this.name,
      inputs,
      output: joined.output,
      depth: 0,
      prepare: async ({ engine, level, weights }) => {
        const { slots } = joined.output
        const wide = inputs.some((layout) => layout.slots < slots)
        // a shorter vector repeats; a sum with zeros says so
        const scale = engine.parameters.scaleAt(level)
        const zeros = wide ? weights.use(engine.encode(new Float64Array(slots), { level, scale })) : undefined
        return async ({ engine: runner, inputs: given, temporaries }) =>
          joined.from.map(({ input, ciphertext }) => {
            const source = given[input]![ciphertext]!
            const isShort = zeros && inputs[input]!.slots < slots
            // handles are immutable: a copy at the same level shares the polynomials
            return temporaries.use(isShort ? runner.addPlain(source, zeros) : runner.dropLevel(source, source.level))
          })
      },
    })
  }
}

/**
 * Concatenation along channels (or features): [c1, height, width], [c2, height, width], ... -> [c1 + c2 + ..., height, width]. No level.
 * Batches always; one image and channel layouts where all inputs lie alike within their ciphertexts: give all branches the same strides.
 *
 * @throws InvalidArgumentError for fewer than 2 inputs
 * @example
 * ```ts
 * import { createTensor } from '@he-ml/model'
 * import { concat } from '@he-ml/nn-layers'
 * const [x, y] = [createTensor([1], Float64Array.of(1)), createTensor([2], Float64Array.of(2, 3))]
 * console.log(concat({ name: 'both', inputs: 2 }).forward([x, y]).data) // [1, 2, 3]
 * ```
 */
export const concat = (options: ConcatOptions): ConcatLayer => new ConcatLayer(checkLayerOptions('concat', options))
