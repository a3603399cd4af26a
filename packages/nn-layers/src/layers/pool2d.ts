/**
 * Average pooling is a sum over a window and a division. The sum is rotations and additions and costs no level; the
 * division does, unless `foldFactors` moves it into a neighbour, which leaves a `sumPool` here. Only windows over uncounted
 * padding divide differently from place to place: those are a linear transform of their own.
 */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { FloatBatch, FloatKernels, FloatLayer } from '@he-ml/float-kernels'
import { digestText, type Layer, type Shape, type Tensor } from '@he-ml/model'
import type { Lowerable, LowerContext, LoweredLayer, SlotLayout } from '@he-ml/packing'
import { lowerBatchSum } from '../batch/lower-batch-sum.ts'
import { lowerChannelPool } from '../channel/lower-channel-pool.ts'
import { onImage } from '../channel/on-image.ts'
import { poolBatch } from '../floats/pooling.ts'
import { forwardLinear } from '../linear-map/forward.ts'
import { type LinearMap, type Pair, sourceOf, type Window } from '../linear-map/linear-map.ts'
import { createWindow, imageShape, type WindowOptions, windowOutput } from '../linear-map/window.ts'
import { lowerSumPool } from '../multiplexed/lower-sum-pool.ts'
import { checkLayerOptions } from './layer-options.ts'
import { lowerLinear } from './lower-linear.ts'
import { only } from './single-input.ts'

/** Options of {@link averagePool2d} and {@link sumPool2d}. */
export interface Pool2dOptions extends Omit<WindowOptions, 'dilation'> {
  /** Names the layer in models, plans and errors. */
  readonly name: string
  /** Rows and columns, or one number for both; 'global' for the whole image. */
  readonly kernel: number | Pair | 'global'
  /** Default: the kernel, windows side by side. */
  readonly stride?: number | Pair
  /** Whether padding counts as zeros in an average; default true. */
  readonly countPadding?: boolean
  /**
   * Whether a last window that begins before the end of the image but reaches beyond the padding is kept; what is beyond adds
   * nothing and never counts. Default false: such windows are left out.
   */
  readonly ceilMode?: boolean
}

type Mode = 'average' | 'sum'

/** See {@link averagePool2d} and {@link sumPool2d}. */
export class Pool2dLayer implements Layer, FloatLayer, Lowerable {
  readonly kind: 'averagePool2d' | 'sumPool2d'
  readonly arity = 1
  readonly homogeneous = true
  readonly channelwise = true
  readonly name: string
  /** undefined for global pooling, where it depends on the input. */
  readonly window: Window | undefined
  readonly #options: Pool2dOptions
  readonly #countPadding: boolean
  readonly #ceilMode: boolean

  constructor(options: Pool2dOptions, mode: Mode) {
    this.kind = `${mode}Pool2d`
    this.name = options.name
    this.#options = options
    this.#countPadding = options.countPadding ?? true
    this.#ceilMode = options.ceilMode ?? false
    const { kernel } = options
    if (kernel !== 'global') {
      this.window = createWindow(this.name, kernel, { stride: kernel, ...options })
      const { kernel: size, padding } = this.window
      if (padding.some((p, side) => p >= size[side % 2]!))
        throw new InvalidArgumentError(
          `layer "${this.name}": padding [${padding}] must be smaller than the window [${size}]: a window would hold nothing else`,
        )
    }
  }

  /** The sum and the divisor apart; absent where the divisor differs from place to place, or for sums. */
  factored(inputs: readonly Shape[]): ReturnType<NonNullable<Layer['factored']>> {
    const window = this.#windowFor(imageShape(this.name, only(this.name, inputs)))
    if (this.kind === 'sumPool2d' || !this.#isEven(window)) return undefined
    const [kh, kw] = window.kernel
    return { factor: 1 / (kh * kw), layer: new Pool2dLayer(this.#options, 'sum') }
  }

  digestParts(): readonly Uint8Array[] {
    return [digestText([this.window ?? 'global', this.#countPadding, this.#ceilMode])]
  }
  outputShape(inputs: readonly Shape[]): Shape {
    const shape = imageShape(this.name, only(this.name, inputs))
    return [shape[0], ...windowOutput(this.name, shape, this.#windowFor(shape))]
  }
  forward(inputs: readonly Tensor[]): Tensor {
    const input = only(this.name, inputs)
    return forwardLinear(this.#map(input.shape), input)
  }
  async forwardFloat(_: FloatKernels<Float32Array>, inputs: readonly FloatBatch[]): Promise<FloatBatch> {
    const input = only(this.name, inputs)
    return poolBatch(this.#map(input.shape), input)
  }
  lower(inputs: readonly SlotLayout[], context: LowerContext): LoweredLayer {
    const input = only(this.name, inputs)
    const map = this.#map(input.shape)
    const isPadded = map.window.padding.some((p) => p !== 0)
    const isSum = this.kind === 'sumPool2d'
    if (isSum && input.kind === 'batch') return lowerBatchSum(map, input)
    if (isSum && input.kind === 'multiplexed' && !isPadded) return lowerSumPool(map, input)
    if (input.kind === 'channel' && !isPadded) {
      const [rows, columns] = map.window.kernel
      return lowerChannelPool(onImage(map, input), isSum ? 1 : 1 / (rows * columns), input, context)
    }
    return lowerLinear(map, input, context)
  }

  /** The window with what partial windows reach beyond the padding as more of it. */
  #windowFor(shape: readonly [number, number, number]): Window {
    if (!this.window) return createWindow(this.name, [shape[1], shape[2]], {})
    if (!this.#ceilMode) return this.window
    const [top, left, bottom, right] = this.window.padding
    const [down, across] = [overhang(this.window, shape[1], 0), overhang(this.window, shape[2], 1)]
    return { ...this.window, padding: [top, left, bottom + down, right + across] }
  }

  /** Whether every window has the same divisor. */
  #isEven(window: Window): boolean {
    const declared = this.window?.padding ?? [0, 0, 0, 0]
    if (window.padding.some((p, side) => p !== declared[side])) return false
    return this.#countPadding || declared.every((p) => p === 0)
  }

  #map(given: Shape): LinearMap {
    const input = imageShape(this.name, given)
    const window = this.#windowFor(input)
    const output = [input[0], ...windowOutput(this.name, input, window)] as const
    const [kh, kw] = window.kernel
    const even = this.#isEven(window)
    const counted = this.#countPadding ? (this.window?.padding ?? [0, 0, 0, 0]) : [0, 0, 0, 0]
    const inside = (out: number, axis: 0 | 1): number => {
      let count = 0
      for (let tap = 0; tap < window.kernel[axis]; tap++) {
        const source = sourceOf(out, tap, axis, window)
        if (source >= -counted[axis]! && source < input[axis + 1]! + counted[axis + 2]!) count++
      }
      return count
    }
    const weight = (_o: number, _c: number, _ky: number, _kx: number, y: number, x: number): number => {
      if (this.kind === 'sumPool2d') return 1
      return even ? 1 / (kh * kw) : 1 / (inside(y, 0) * inside(x, 1))
    }
    return { name: this.name, input, output, outputShape: output, window, groups: input[0], weight, placed: true }
  }
}

/** How far a last window beyond the padding reaches, if it begins before the image ends; else 0. */
function overhang({ kernel, stride, padding }: Window, size: number, axis: 0 | 1): number {
  const rest = size + padding[axis] + padding[axis + 2]! - kernel[axis]
  const extra = (stride[axis] - (rest % stride[axis])) % stride[axis]
  const start = rest + extra - padding[axis]
  return rest < 0 || extra === 0 || start >= size ? 0 : extra
}

/**
 * Average pooling over [channels, height, width].
 *
 * @throws InvalidArgumentError for a malformed window; the message names the layer
 * @example
 * ```ts
 * import { createTensor } from '@he-ml/model'
 * import { averagePool2d } from '@he-ml/nn-layers'
 * const layer = averagePool2d({ name: 'pool', kernel: 2 })
 * console.log(layer.forward([createTensor([1, 2, 2], Float64Array.of(1, 2, 3, 6))]).data) // [3]
 * ```
 */
export const averagePool2d = (options: Pool2dOptions): Pool2dLayer =>
  new Pool2dLayer(checkLayerOptions('averagePool2d', options), 'average')

/** Window sums over [channels, height, width]: no level. */
export const sumPool2d = (options: Pool2dOptions): Pool2dLayer =>
  new Pool2dLayer(checkLayerOptions('sumPool2d', options), 'sum')

/** Average of each channel: [channels, height, width] -> [channels, 1, 1]. */
export const globalAveragePool = (options: { readonly name: string }): Pool2dLayer =>
  new Pool2dLayer({ ...checkLayerOptions('globalAveragePool', options), kernel: 'global' }, 'average')
