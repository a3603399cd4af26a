import type { NamedValues, Parameter } from '../layers/layer.ts'
import { zerosLike } from '../tensor/signal.ts'
import type { Optimizer } from './optimizer.ts'

interface AdamOptions {
  readonly kind: 'adam' | 'adamW'
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  readonly weightDecay: number
}

/** Adam (arXiv 1412.6980); AdamW shrinks the weights apart from the gradient (arXiv 1711.05101). */
export class Adam implements Optimizer {
  readonly state: readonly NamedValues[]
  steps = 0
  readonly #options: AdamOptions
  readonly #parameters: readonly Parameter[]

  constructor(options: AdamOptions, parameters: readonly Parameter[]) {
    this.#options = options
    this.#parameters = parameters
    this.state = parameters.flatMap(({ name, shape, value }) =>
      ['mean', 'square'].map((what) => ({ name: `${name}.${what}`, shape, value: zerosLike(value) })),
    )
  }

  step(learningRate: number): void {
    const { kind, beta1, beta2, epsilon, weightDecay } = this.#options
    this.steps++
    const meanCorrection = 1 - beta1 ** this.steps
    const squareCorrection = 1 - beta2 ** this.steps
    for (const [index, { value, gradient, decays }] of this.#parameters.entries()) {
      const mean = this.state[2 * index]!.value
      const square = this.state[2 * index + 1]!.value
      const decay = decays ? weightDecay : 0
      const [inside, shrink] = kind === 'adam' ? [decay, 1] : [0, 1 - learningRate * decay]
      for (let i = 0; i < value.length; i++) {
        const g = gradient[i]! + inside * value[i]!
        const m = beta1 * mean[i]! + (1 - beta1) * g
        const s = beta2 * square[i]! + (1 - beta2) * g * g
        mean[i] = m
        square[i] = s
        value[i] =
          shrink * value[i]! - (learningRate * m) / meanCorrection / (Math.sqrt(s / squareCorrection) + epsilon)
      }
    }
  }
}
