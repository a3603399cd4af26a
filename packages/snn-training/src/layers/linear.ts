import type { Shape } from '@he-ml/model'
import type { LinearDescription } from '@he-ml/model/spiking'
import type { Reals } from '@he-ml/snn-neurons'
import type { Signal } from '../tensor/signal.ts'
import { Kept } from './kept.ts'
import type { Layer, Parameter, Pass } from './layer.ts'
import type { BuildOptions } from './options.ts'
import { Weights } from './weights.ts'

/** Fully connected: y = W x + b with W [outFeatures, inFeatures]. */
export class LinearLayer implements Layer {
  readonly name: string
  readonly outputShape: Shape
  readonly statistics = []
  readonly #inFeatures: number
  readonly #outFeatures: number
  readonly #weights: Weights
  readonly #kept: Kept<{ readonly input: Signal; readonly weight: Reals }>

  constructor(description: LinearDescription, inputShape: Shape, { precision, seed }: BuildOptions) {
    const { name, outFeatures, bias: hasBias, weightGrid: grid } = description
    this.name = name
    this.outputShape = [outFeatures]
    this.#inFeatures = inputShape[0]!
    this.#outFeatures = outFeatures
    const shape = [outFeatures, this.#inFeatures]
    this.#weights = new Weights({ layer: name, shape, hasBias, precision, seed, grid })
    this.#kept = new Kept(name)
  }

  get parameters(): readonly Parameter[] {
    return this.#weights.parameters
  }

  async forward(input: Signal, { kernels, training, allocate }: Pass): Promise<Signal> {
    const [m, n, k] = [input.steps * input.batch, this.#outFeatures, this.#inFeatures]
    const { weight, bias } = this.#weights.effective(allocate)
    const c = allocate(m * n)
    await kernels.gemm({ m, n, k, a: input.data, b: weight, c, transposeB: true })
    if (bias) for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) c[i * n + j] = c[i * n + j]! + bias[j]!
    this.#kept.put({ input, weight }, training)
    return { ...input, data: c, shape: this.outputShape }
  }

  async backward(gradient: Signal, { kernels, allocate }: Pass, wantInput: boolean): Promise<Signal | undefined> {
    const { input, weight } = this.#kept.take()
    const [rows, outputs, inputs] = [input.steps * input.batch, this.#outFeatures, this.#inFeatures]
    const a = gradient.data
    const c = this.#weights.weight.gradient
    const inputGradient = wantInput ? allocate(input.data.length) : undefined
    const products = Promise.all([
      kernels.gemm({ m: outputs, n: inputs, k: rows, a, b: input.data, c, transposeA: true }),
      inputGradient && kernels.gemm({ m: rows, n: inputs, k: outputs, a, b: weight, c: inputGradient }),
    ])
    if (this.#weights.bias) {
      const sums = this.#weights.bias.gradient
      for (let j = 0; j < outputs; j++) {
        let sum = 0
        for (let i = 0; i < rows; i++) sum += a[i * outputs + j]!
        sums[j] = sum
      }
    }
    await products
    this.#weights.finishGradients()
    return inputGradient && { ...input, data: inputGradient }
  }
}
