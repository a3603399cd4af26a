/**
 * a x^2 + b x + c, element by element: the activation of networks that were trained for encryption. Exact, nothing to calibrate. With a
 * leading coefficient of 1 or -1 it is x (x + b) + c, one level; `foldFactors` has it held so. Any other costs one level more.
 */
import { type Ciphertext, InvalidArgumentError, scope, toLevel } from '@he-ml/ckks-core'
import type { FloatBatch, FloatKernels, FloatLayer } from '@he-ml/float-kernels'
import { createTensor, digestNumbers, type Layer, type Shape, type Tensor } from '@he-ml/model'
import {
  type CircuitEngine,
  createLowered,
  gapsOf,
  type Lowerable,
  type LoweredLayer,
  type SlotLayout,
} from '@he-ml/packing'
import { mapBatch } from '../floats/elementwise.ts'
import { withOwnGaps } from '../lowered/channel-positions.ts'
import { checkLayerOptions } from './layer-options.ts'
import { checkFactor, checkFinite, only } from './single-input.ts'

/** Options of {@link quadratic}. */
export interface QuadraticOptions {
  /** Names the layer in models, plans and errors. */
  readonly name: string
  /** Of x^2; not 0. */
  readonly leading: number
  /** Of x. Default 0. */
  readonly linear?: number
  /** Default 0. */
  readonly constant?: number
}

/** Leading coefficients this close to 1 or -1 are that: factors are products of roots. */
const ROUND_OFF = 1e-12

/** See {@link quadratic}. */
export class QuadraticLayer implements Layer, FloatLayer, Lowerable {
  readonly kind = 'quadratic'
  readonly arity = 1
  readonly name: string
  /** Factor of x^2, not 0. */
  readonly leading: number
  /** Factor of x. */
  readonly linear: number
  /** What is added. */
  readonly constant: number

  constructor({ name, leading, linear = 0, constant = 0 }: QuadraticOptions) {
    checkFinite(name, 'coefficients', Float64Array.of(leading, linear, constant))
    if (leading === 0)
      throw new InvalidArgumentError(`layer "${name}": the coefficient of x^2 must not be 0: that is no quadratic`)
    this.name = name
    this.leading = Math.abs(Math.abs(leading) - 1) < ROUND_OFF ? Math.sign(leading) : leading
    this.linear = linear
    this.constant = constant
  }

  digestParts(): readonly Uint8Array[] {
    return [digestNumbers([this.leading, this.linear, this.constant])]
  }
  outputShape(inputs: readonly Shape[]): Shape {
    return only(this.name, inputs)
  }
  forward(inputs: readonly Tensor[]): Tensor {
    const { shape, data } = only(this.name, inputs)
    return createTensor(
      shape,
      data.map((x) => this.at(x)),
    )
  }
  async forwardFloat(_: FloatKernels<Float32Array>, inputs: readonly FloatBatch[]): Promise<FloatBatch> {
    return mapBatch(only(this.name, inputs), (x) => this.at(x))
  }
  /** Its value. */
  at(x: number): number {
    return (this.leading * x + this.linear) * x + this.constant
  }
  scaleOutput(factor: number): QuadraticLayer {
    checkFactor(this.name, factor)
    return this.#with(factor * this.leading, factor * this.linear, factor * this.constant)
  }
  scaleInput(factor: number): QuadraticLayer {
    checkFactor(this.name, factor)
    return this.#with(factor ** 2 * this.leading, factor * this.linear, this.constant)
  }
  inputFactorFor(outputFactor: number): number {
    return Math.sqrt(Math.abs(this.leading) * outputFactor)
  }
  lower(inputs: readonly SlotLayout[]): LoweredLayer {
    const input = only(this.name, inputs)
    return createLowered({
      name: this.name,
      inputs: [input],
      output: gapsOf(input) === 'zero' && this.constant === 0 ? input : withOwnGaps(input, gapsBehind(input)),
      depth: Math.abs(this.leading) === 1 ? 1 : 2,
      prepare:
        async () =>
        async ({ engine, inputs, pacer, temporaries }) => {
          const results: Ciphertext[] = []
          for (const x of inputs[0]!) {
            await pacer.step()
            results.push(temporaries.use(this.#apply(engine, x)))
          }
          return results
        },
    })
  }

  #with(leading: number, linear: number, constant: number): QuadraticLayer {
    return new QuadraticLayer({ name: this.name, leading, linear, constant })
  }

  /** x times (leading x + linear), plus the constant. */
  #apply(engine: CircuitEngine, x: Ciphertext): Ciphertext {
    const { leading, linear, constant } = this
    return scope((use) => {
      const isMonic = Math.abs(leading) === 1
      const sign = isMonic ? leading : 1
      const first = isMonic ? x : use(engine.rescale(use(engine.mulScalar(x, leading))))
      const other = isMonic ? x : use(toLevel(engine, x, first.level))
      const shifted = linear === 0 ? first : use(engine.addScalar(first, sign * linear))
      const product = use(linear === 0 && isMonic ? engine.square(x) : engine.mul(other, shifted))
      const result = use(engine.relinearizeRescale(product))
      const signed = sign < 0 ? use(engine.negate(result)) : result
      return engine.addScalar(signed, constant)
    })
  }
}

/** The constant is a value within the range of the elements; what was of their size may become larger, once. */
const gapsBehind = (input: SlotLayout): 'bounded' | 'any' => (gapsOf(input) === 'zero' ? 'bounded' : 'any')

/**
 * A quadratic activation.
 *
 * @throws InvalidArgumentError for a leading coefficient of 0, or coefficients that are not finite
 * @example
 * ```ts
 * import { createTensor } from '@he-ml/model'
 * import { quadratic } from '@he-ml/nn-layers'
 * const layer = quadratic({ name: 'act', leading: 0.25, linear: 0.5, constant: 1 })
 * console.log(layer.forward([createTensor([2], Float64Array.of(2, -2))]).data) // [3, 1]
 * ```
 */
export const quadratic = (options: QuadraticOptions): QuadraticLayer =>
  new QuadraticLayer(checkLayerOptions('quadratic', options))
