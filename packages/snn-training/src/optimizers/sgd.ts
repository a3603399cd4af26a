import type { NamedValues, Parameter } from '../layers/layer.ts'
import { zerosLike } from '../tensor/signal.ts'
import type { Optimizer } from './optimizer.ts'

/** v <- momentum v + (g + decay w), w <- w - rate v; Nesterov: w <- w - rate (g + decay w + momentum v). */
export class Sgd implements Optimizer {
  readonly state: readonly NamedValues[]
  steps = 0
  readonly #options: { readonly momentum: number; readonly nesterov: boolean; readonly weightDecay: number }
  readonly #parameters: readonly Parameter[]

  constructor(
    options: { readonly momentum: number; readonly nesterov: boolean; readonly weightDecay: number },
    parameters: readonly Parameter[],
  ) {
    this.#options = options
    this.#parameters = parameters
    this.state = parameters.map(({ name, shape, value }) => ({
      name: `${name}.velocity`,
      shape,
      value: zerosLike(value),
    }))
  }

  step(learningRate: number): void {
    const { momentum, nesterov, weightDecay } = this.#options
    this.steps++
    for (const [index, { value, gradient, decays }] of this.#parameters.entries()) {
      const velocity = this.state[index]!.value
      const decay = decays ? weightDecay : 0
      for (let i = 0; i < value.length; i++) {
        const g = gradient[i]! + decay * value[i]!
        const v = momentum * velocity[i]! + g
        velocity[i] = v
        value[i] = value[i]! - learningRate * (nesterov ? g + momentum * v : v)
      }
    }
  }
}
