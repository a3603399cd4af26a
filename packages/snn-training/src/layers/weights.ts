/** Weight and bias of a linear map: initial values, rounding to a grid, gradients. */

import { roundToGrid, stopOutsideGrid } from '@he-ml/float-kernels'
import { type Shape, sizeOf } from '@he-ml/model'
import type { Reals } from '@he-ml/snn-neurons'
import { deriveSeed, RandomStream } from '../random/random-stream.ts'
import { type Precision, zeros } from '../tensor/signal.ts'
import type { Parameter } from './layer.ts'
import { roundBias, type WeightGrid } from './weight-grid.ts'

/** What weights are made from. */
export interface WeightsOptions {
  readonly layer: string
  readonly shape: Shape
  readonly hasBias: boolean
  readonly precision: Precision
  readonly seed: number
  /** Quantisation-aware: the layer computes with weights and biases rounded to this grid. */
  readonly grid?: WeightGrid | undefined
}

/** Normal with variance 2 / fan-in (He et al., arXiv 1502.01852); biases start at 0. */
export class Weights {
  readonly weight: Parameter
  readonly bias: Parameter | undefined
  readonly #grid: WeightGrid | undefined

  constructor({ layer, shape, hasBias, precision, seed, grid }: WeightsOptions) {
    const make = (what: string, size: Shape, decays: boolean): Parameter => ({
      name: `${layer}.${what}`,
      shape: size,
      value: zeros(precision, sizeOf(size)),
      gradient: zeros(precision, sizeOf(size)),
      decays,
    })
    this.weight = make('weight', shape, true)
    this.bias = hasBias ? make('bias', [shape[0]!], false) : undefined
    this.#grid = grid
    const random = new RandomStream(deriveSeed(seed, 'initial', layer))
    const deviation = Math.sqrt(2 / sizeOf(shape.slice(1)))
    const { value } = this.weight
    for (let i = 0; i < value.length; i++) value[i] = deviation * random.normal()
  }

  get parameters(): readonly Parameter[] {
    return this.bias ? [this.weight, this.bias] : [this.weight]
  }

  /** The values the layer computes with; rounded ones lie in an array from `allocate`. */
  effective(allocate: (length: number) => Reals): { readonly weight: Reals; readonly bias: Reals | undefined } {
    const grid = this.#grid
    if (!grid) return { weight: this.weight.value, bias: this.bias?.value }
    const weight = allocate(this.weight.value.length)
    roundToGrid(this.weight.value, grid, weight)
    return { weight, bias: this.bias && roundBias(this.bias.value, grid) }
  }

  /** Turns gradients of the effective values into gradients of the parameters. */
  finishGradients(): void {
    if (this.#grid) stopOutsideGrid(this.weight.value, this.#grid, this.weight.gradient)
  }
}
