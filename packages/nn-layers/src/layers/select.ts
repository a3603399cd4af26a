/**
 * Some of the elements, in another order: permuted axes, slices, crops, flips. Elements are renamed where they lie, so no slot
 * moves and no level is spent; what a slice leaves out stays in the slots as a gap of any size.
 */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { FloatBatch, FloatKernels, FloatLayer } from '@he-ml/float-kernels'
import { createTensor, digestText, type Layer, type Shape, sizeOf, type Tensor } from '@he-ml/model'
import { createLowered, type Lowerable, type LoweredLayer, type SlotLayout } from '@he-ml/packing'
import { renameSlots } from '../lowered/rename-slots.ts'
import { checkLayerOptions } from './layer-options.ts'
import { only } from './single-input.ts'

/** Options of {@link select}. */
export interface SelectOptions {
  /** Names the layer in models, plans and errors. */
  readonly name: string
  /** Index (row-major) of the input's element that comes first; default 0. */
  readonly offset?: number
  /** Numbers of steps, slowest first; their product is the output's size. */
  readonly sizes: readonly number[]
  /** Elements of the input moved by each step; may be negative. */
  readonly strides: readonly number[]
  /** Shape of the output; default `sizes`. */
  readonly shape?: Shape
}

/** See {@link select}. */
export class SelectLayer implements Layer, FloatLayer, Lowerable {
  readonly kind = 'select'
  readonly arity = 1
  readonly homogeneous = true
  readonly name: string
  /** Of the result. */
  readonly shape: Shape
  readonly #offset: number
  readonly #sizes: readonly number[]
  readonly #strides: readonly number[]
  /** Smallest and largest index read. */
  readonly #reach: readonly [number, number]

  constructor({ name, offset = 0, sizes, strides, shape = sizes }: SelectOptions) {
    const counts = [...sizes, ...shape]
    if (shape.length === 0 || counts.some((d) => !Number.isInteger(d) || d < 1) || sizeOf(sizes) !== sizeOf(shape))
      throw new InvalidArgumentError(
        `layer "${name}": sizes [${sizes}] and shape [${shape}] need positive integers of one product`,
      )
    if (strides.length !== sizes.length || [offset, ...strides].some((s) => !Number.isSafeInteger(s)))
      throw new InvalidArgumentError(
        `layer "${name}": expected ${sizes.length} integer strides and an integer offset, got [${strides}] and ${offset}`,
      )
    if (overlaps(sizes, strides))
      throw new InvalidArgumentError(
        `layer "${name}": sizes [${sizes}] with strides [${strides}] may read an element twice: no axis may end beyond the next step of a slower one`,
      )
    this.name = name
    this.shape = [...shape]
    this.#offset = offset
    this.#sizes = [...sizes]
    this.#strides = [...strides]
    const ends = strides.map((s, i) => s * (sizes[i]! - 1))
    const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, offset)
    this.#reach = [sum(ends.filter((e) => e < 0)), sum(ends.filter((e) => e > 0))]
  }

  digestParts(): readonly Uint8Array[] {
    return [digestText([this.shape, this.#offset, this.#sizes, this.#strides])]
  }
  outputShape(inputs: readonly Shape[]): Shape {
    const shape = only(this.name, inputs)
    const [first, last] = this.#reach
    if (first < 0 || last >= sizeOf(shape))
      throw new InvalidArgumentError(
        `layer "${this.name}": it reads elements ${first} to ${last}, the input [${shape}] has ${sizeOf(shape)}`,
      )
    return this.shape
  }
  forward(inputs: readonly Tensor[]): Tensor {
    const input = only(this.name, inputs)
    this.outputShape([input.shape])
    return createTensor(
      this.shape,
      Float64Array.from(this.#sources(), (s) => input.data[s]!),
    )
  }
  async forwardFloat(_: FloatKernels<Float32Array>, inputs: readonly FloatBatch[]): Promise<FloatBatch> {
    const { shape, count, data } = only(this.name, inputs)
    this.outputShape([shape])
    const size = sizeOf(shape)
    const sources = this.#sources()
    const output = new Float32Array(count * sources.length)
    for (let n = 0, written = 0; n < count; n++)
      for (let i = 0; i < sources.length; i++) output[written++] = data[n * size + sources[i]!]!
    return { shape: this.shape, count, data: output }
  }
  lower(inputs: readonly SlotLayout[]): LoweredLayer {
    const input = only(this.name, inputs)
    this.outputShape([input.shape])
    const { output, ciphertexts } = renameSlots({ name: this.name, shape: this.shape, sources: this.#sources() }, input)
    return createLowered({
      name: this.name,
      inputs: [input],
      output,
      depth: 0,
      // handles are immutable: a copy at the same level shares the polynomials
      prepare:
        async () =>
        async ({ engine, inputs }) =>
          ciphertexts.map((c) => engine.dropLevel(inputs[0]![c]!, inputs[0]![c]!.level)),
    })
  }

  #sources(): Int32Array {
    const sources = new Int32Array(sizeOf(this.#sizes))
    sources[0] = this.#offset
    let filled = 1
    for (let axis = this.#sizes.length - 1; axis >= 0; axis--) {
      const block = filled
      for (let step = 1; step < this.#sizes[axis]!; step++)
        for (let i = 0; i < block; i++) sources[filled++] = sources[i]! + step * this.#strides[axis]!
    }
    return sources
  }
}

/** Whether a step is shorter than what the faster axes span. */
function overlaps(sizes: readonly number[], strides: readonly number[]): boolean {
  const axes = sizes.map((size, i) => ({ size, step: Math.abs(strides[i]!) })).filter(({ size }) => size > 1)
  axes.sort((a, b) => a.step - b.step)
  let span = 0
  for (const { size, step } of axes) {
    if (step <= span) return true
    span += step * (size - 1)
  }
  return false
}

/**
 * Elements of the input in the order of nested steps: element (i, j, ...) of the output is element
 * offset + i * strides[0] + j * strides[1] + ... of the input.
 *
 * @throws InvalidArgumentError for sizes, strides and shape that do not fit each other, or that read an element twice
 * @example
 * ```ts
 * import { createTensor } from '@he-ml/model'
 * import { select } from '@he-ml/nn-layers'
 * const x = createTensor([1, 2, 3], Float64Array.of(1, 2, 3, 4, 5, 6))
 * const turned = select({ name: 'transpose', sizes: [1, 3, 2], strides: [6, 1, 3] })
 * console.log(turned.forward([x]).data) // [1, 4, 2, 5, 3, 6]
 * ```
 */
export const select = (options: SelectOptions): SelectLayer => new SelectLayer(checkLayerOptions('select', options))
