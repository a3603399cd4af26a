/**
 * Residual addition. Tensors in the same slots are added at no level. Where a branch put its result elsewhere, one of the two
 * is moved by a permutation, for one level; compile avoids that with `LowerContext.prefer`.
 */
import { type Ciphertext, InvalidArgumentError, toLevel, UnsupportedError } from '@he-ml/ckks-core'
import type { FloatBatch, FloatKernels, FloatLayer } from '@he-ml/float-kernels'
import { createTensor, type Layer, type Shape, sameShape, sizeOf, type Tensor } from '@he-ml/model'
import {
  type ChannelLayout,
  createLowered,
  gapsOf,
  type Lowerable,
  type LowerContext,
  type LoweredLayer,
  liesAlike,
  type MultiplexedLayout,
  PackedTensor,
  type SlotLayout,
  samePositions,
  withGaps,
  worseGaps,
} from '@he-ml/packing'
import { unfolded } from '../channel/fold.ts'
import { lowerUnfoldedSum } from '../channel/lower-unfolded-sum.ts'
import { addBatches } from '../floats/elementwise.ts'
import { type LinearMap, POINT_WINDOW } from '../linear-map/linear-map.ts'
import { unsupportedLayout } from '../lowered/unsupported-layout.ts'
import { lowerTransform } from '../multiplexed/lower-transform.ts'
import { checkLayerOptions } from './layer-options.ts'
import { ReshapeLayer } from './reshape.ts'

/** See {@link add}. */
export class AddLayer implements Layer, FloatLayer, Lowerable {
  readonly kind = 'add'
  readonly arity = 2
  readonly homogeneous = true
  readonly channelwise = true
  readonly name: string
  constructor(name: string) {
    this.name = name
  }

  digestParts(): readonly Uint8Array[] {
    return []
  }
  outputShape(inputs: readonly Shape[]): Shape {
    const [a, b] = inputs
    if (inputs.length !== 2 || !a || !b || !sameShape(a, b))
      throw new InvalidArgumentError(
        `layer "${this.name}": expected two inputs of one shape, got ${inputs.map((s) => `[${s}]`).join(' and ')}`,
      )
    return a
  }
  forward(inputs: readonly Tensor[]): Tensor {
    const shape = this.outputShape(inputs.map((t) => t.shape))
    return createTensor(
      shape,
      inputs[0]!.data.map((v, i) => v + inputs[1]!.data[i]!),
    )
  }
  async forwardFloat(_: FloatKernels<Float32Array>, inputs: readonly FloatBatch[]): Promise<FloatBatch> {
    this.outputShape(inputs.map((batch) => batch.shape))
    return addBatches(inputs[0]!, inputs[1]!)
  }
  lower(inputs: readonly SlotLayout[], context: LowerContext): LoweredLayer {
    this.outputShape(inputs.map((l) => l.shape))
    const [a, b] = inputs as [SlotLayout, SlotLayout]
    if (a.kind === 'batch' && b.kind === 'batch' && a.slots === b.slots) return this.#lowerInPlace([a, b], a)
    if (a.kind === 'channel' && b.kind === 'channel') {
      if (liesAlike(a, b)) return this.#lowerInPlace([a, b], withGaps(a, worseGaps(gapsOf(a), gapsOf(b))))
      if (liesAlike(unfolded(a), unfolded(b))) return lowerUnfoldedSum(this.name, a, b)
      throw apart(this.name, a, b)
    }
    if (a.kind !== 'multiplexed') throw unsupportedLayout(this.name, a)
    if (b.kind !== 'multiplexed') throw unsupportedLayout(this.name, b)
    if (samePositions(a, b)) return this.#lowerInPlace([a, b], sumLayout(a, b))
    return this.#lowerMoved(a, b, context)
  }

  #lowerInPlace(inputs: readonly SlotLayout[], output: SlotLayout): LoweredLayer {
    return createLowered({
      name: this.name,
      inputs,
      output,
      depth: 0,
      prepare:
        async () =>
        async ({ engine, inputs: [a, b], pacer, temporaries }) => {
          const sums: Ciphertext[] = []
          for (let i = 0; i < a!.length; i++) {
            await pacer.step()
            sums.push(temporaries.use(engine.add(a![i]!, b![i]!)))
          }
          return sums
        },
    })
  }

  /** Moves b to a's slots. */
  #lowerMoved(a: MultiplexedLayout, b: MultiplexedLayout, context: LowerContext): LoweredLayer {
    const list = new ReshapeLayer('flatten', this.name)
    const from = list.lower([b]).outputs[0] as MultiplexedLayout
    const to = list.lower([a]).outputs[0] as MultiplexedLayout
    const move = lowerTransform(permutation(this.name, sizeOf(a.shape)), from, { ...context, prefer: to })
    const moved = move.outputs[0] as MultiplexedLayout
    if (!samePositions(moved, to))
      throw new UnsupportedError(
        `layer "${this.name}": its inputs lie in ${a.ciphertexts} and ${b.ciphertexts} ciphertexts of different slots: lower one branch with the other's layout as LowerContext.prefer`,
      )
    return createLowered({
      name: this.name,
      inputs: [a, b],
      output: sumLayout(a, { ...moved, shape: a.shape }),
      depth: 1,
      prepare: async ({ engine, level, signal, weights }) => {
        const prepared = weights.use(await move.prepare(engine, { level, ...(signal ? { signal } : {}) }))
        return async ({ engine, inputs: [x, y], pacer, temporaries }) => {
          await pacer.step()
          const [other] = await prepared.apply(engine, [new PackedTensor(from, y!)])
          temporaries.use(other!)
          return x!.map((ciphertext, i) => {
            const lowered = temporaries.use(toLevel(engine, ciphertext, level - 1))
            return temporaries.use(engine.add(lowered, other!.ciphertexts[i]!))
          })
        }
      },
    })
  }
}

function apart(name: string, a: ChannelLayout, b: ChannelLayout): UnsupportedError {
  const where = `layer "${name}": its inputs lie in different slots`
  const steps = ({ image, rowStride, columnStride }: ChannelLayout) =>
    `[${image}] with steps of ${rowStride} and ${columnStride} positions`
  const shares = ({ channelOffsets, subBatchOffsets, ciphertexts }: ChannelLayout) =>
    `${ciphertexts} ciphertexts of ${subBatchOffsets.length} sub-batches and ${channelOffsets.length} channels each`
  return new UnsupportedError(
    steps(a) === steps(b)
      ? `${where}, ${shares(a)} and ${shares(b)}, since only one branch leaves clean gaps behind a stride: use a smaller batch, or a strided convolution in both branches`
      : `${where}, ${steps(a)} and ${steps(b)}: give both branches the same strides`,
  )
}

const permutation = (name: string, size: number): LinearMap => ({
  name,
  input: [size, 1, 1],
  output: [size, 1, 1],
  outputShape: [size],
  window: POINT_WINDOW,
  groups: size,
  weight: () => 1,
})

function sumLayout(a: MultiplexedLayout, b: MultiplexedLayout): MultiplexedLayout {
  // where only one of the two repeats, its copies come to lie in gaps of the sum
  const gaps = worseGaps(a.grid.gaps, b.grid.gaps, a.period === b.period ? 'zero' : 'bounded')
  const slots = Math.max(a.slots, b.slots)
  return { ...a, slots, period: Math.max(a.period, b.period), grid: { ...a.grid, gaps } }
}

/**
 * The sum of two tensors of one shape.
 *
 * @example
 * ```ts
 * import { createTensor } from '@he-ml/model'
 * import { add } from '@he-ml/nn-layers'
 * const [x, y] = [createTensor([2], Float64Array.of(1, 2)), createTensor([2], Float64Array.of(10, 20))]
 * console.log(add({ name: 'sum' }).forward([x, y]).data) // [11, 22]
 * ```
 */
export const add = (options: { readonly name: string }): AddLayer =>
  new AddLayer(checkLayerOptions('add', options).name)
