/**
 * Errors as tensors. One number per ciphertext takes the errors of all elements for independent, and they are not: behind a
 * convolution neighbours share what they read, a residual sum adds to an error what the error became on the other branch, and
 * channels whose activation is flat pass none on. In the last layers of ResNet-20, which sum over whole images, that is 2.5
 * bits. So a few random error tensors go through the clear layers beside the simulation, activations at random inputs as the
 * calibration data have them in each channel, and tell by which factor the errors of a layer's inputs really arrive.
 */
import {
  createTensor,
  forwardApproximate,
  type GraphLayer,
  isCalibrated,
  isMultiOutput,
  type Model,
  type ModelNode,
  type Shape,
  sizeOf,
  type Tensor,
} from '@he-ml/model'
import type { ChannelStatistics, ValueSize } from '../ready/calibration.ts'

/** Error tensors that are followed; ten logits then make forty samples, a tenth of a bit or two. */
const SAMPLES = 4

/** Errors below this are lost in the round-off of values near 1. */
const LEAST = 2 ** -44

/** How the errors of a value change where it is computed or refreshed; root mean squares. */
export interface Disturbance {
  /** What is left of those that were there. */
  readonly kept: number
  /** All together. */
  readonly total: number
  /** The error that a value itself brings about. */
  readonly bend?: (value: number) => number
}

/** The errors of every value of a model. */
export class ErrorField {
  readonly #nodes: ReadonlyMap<string, ModelNode>
  readonly #model: Model
  readonly #sizes: ReadonlyMap<string, ValueSize>
  readonly #errors = new Map<string, readonly Float64Array[]>()
  readonly #points = new Map<string, Tensor>()
  readonly #random = new Normal(1)

  /**
   * @param model folded, with polynomials
   * @param sizes of the values that activations read, with their channels; see {@link ErrorField.fits}
   * @param inputError root mean square
   */
  constructor(model: Model, sizes: ReadonlyMap<string, ValueSize>, inputError: number) {
    this.#model = model
    this.#sizes = sizes
    this.#nodes = new Map(model.nodes.map((node) => [node.name, node]))
    for (const name of model.inputs) {
      this.#errors.set(
        name,
        Array.from({ length: SAMPLES }, () => new Float64Array(sizeOf(model.input.shape))),
      )
      this.disturb(name, { kept: 0, total: inputError })
    }
  }

  /** Whether the calibration data tell enough. */
  static fits(model: Model, sizes: ReadonlyMap<string, ValueSize>): boolean {
    return model.nodes.every(
      ({ layer, inputs }) => isLinear(layer) || inputs.every((name) => sizes.get(name)?.channels),
    )
  }

  /**
   * What a node makes of its inputs' errors.
   * @returns the root mean squares of its results' errors, over that of the inputs
   */
  propagate(name: string): number[] {
    const { layer, inputs, values } = this.#nodes.get(name)!
    const at = inputs.map((input) => this.#values(layer, input))
    const clean = forwardApproximate(layer, at)
    const given = inputs.map((input) => this.#errors.get(input)!)
    const moved = Array.from({ length: SAMPLES }, (_, s) =>
      forwardApproximate(
        layer,
        at.map(({ shape, data }, i) => createTensor(shape, sum(data, given[i]![s]!))),
      ),
    )
    const before = Math.sqrt(given.reduce((total, errors) => total + size(errors) ** 2, 0) / given.length)
    return values.map((value, k) => {
      const results = moved.map((result) => result[k]!.data.map((y, i) => y - clean[k]!.data[i]!))
      this.#errors.set(value, results)
      return before > 0 ? size(results) / before : 0
    })
  }

  /**
   * Scales a value's errors to the root mean square `kept` and adds others up to `total`: those that follow from the value,
   * where `bend` tells them, and independent ones. What follows from the value has the same sign in whole channels, so a
   * mean over an image does not make it smaller.
   */
  disturb(name: string, { kept, total, bend }: Disturbance): void {
    const errors = this.#errors.get(name)!
    const now = size(errors)
    const by = now > 0 ? kept / now : 0
    const added = Math.max(Math.sqrt(Math.max(0, total ** 2 - kept ** 2)), kept > 0 ? 0 : LEAST)
    const bent = bend && this.#sizes.get(name)?.channels ? this.#point(name).data.map(bend) : undefined
    const bentSize = bent ? size([bent]) : 0
    const times = bentSize > added ? added / bentSize : 1
    const more = Math.sqrt(Math.max(0, added ** 2 - (times * bentSize) ** 2))
    this.#errors.set(
      name,
      errors.map((e) => e.map((x, i) => by * x + (bent ? times * bent[i]! : 0) + more * this.#random.next())),
    )
  }

  /** Errors of a value that have nothing to do with those before: a refresh within a layer made them. */
  renew(name: string, total: number): void {
    const size = sizeOf(this.#model.shapes.get(name)!)
    this.#errors.set(
      name,
      Array.from({ length: SAMPLES }, () => Float64Array.from({ length: size }, () => total * this.#random.next())),
    )
  }

  /** Where the layer is differentiated: anywhere if it is linear. */
  #values(layer: GraphLayer, input: string): Tensor {
    const shape = this.#model.shapes.get(input)!
    return isLinear(layer) ? createTensor(shape, new Float64Array(sizeOf(shape))) : this.#point(input)
  }

  /** The value at which everything happens that depends on it. */
  #point(name: string): Tensor {
    const point =
      this.#points.get(name) ?? this.#random.tensor(this.#model.shapes.get(name)!, this.#sizes.get(name)!.channels!)
    this.#points.set(name, point)
    return point
  }
}

/** Homogeneous layers are, and those that can take a factor without being told where their input lies, or asking for one. */
const isLinear = (layer: GraphLayer): boolean => {
  if (isCalibrated(layer) || isMultiOutput(layer) || layer.inputFactorFor) return false
  return layer.homogeneous === true || layer.scaleInput !== undefined
}

const sum = (a: Float64Array, b: Float64Array): Float64Array => a.map((x, i) => x + b[i]!)

const size = (all: readonly Float64Array[]): number => {
  const squares = all.reduce((total, e) => e.reduce((t, x) => t + x * x, total), 0)
  return Math.sqrt(squares / (all.length * all[0]!.length))
}

/** Normal numbers from a seed: a plan is the same whenever it is made. */
class Normal {
  #state: number
  constructor(seed: number) {
    this.#state = seed
  }
  next(): number {
    return Math.sqrt(-2 * Math.log(this.#uniform())) * Math.cos(2 * Math.PI * this.#uniform())
  }
  tensor(shape: Shape, { mean, std, min, max }: ChannelStatistics): Tensor {
    const size = sizeOf(shape) / mean.length
    const data = Float64Array.from({ length: sizeOf(shape) }, (_, i) => {
      const c = Math.floor(i / size)
      return Math.min(max[c]!, Math.max(min[c]!, mean[c]! + std[c]! * this.next()))
    })
    return createTensor(shape, data)
  }
  /** In (0, 1). */
  #uniform(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0
    let z = Math.imul(this.#state ^ (this.#state >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return (((z ^ (z >>> 15)) >>> 0) + 0.5) / 2 ** 32
  }
}
