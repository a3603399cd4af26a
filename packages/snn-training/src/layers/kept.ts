import { InvalidArgumentError } from '@he-ml/ckks-core'

/** What a forward pass in training leaves for one backward pass. */
export class Kept<T> {
  readonly #layer: string
  #value: T | undefined

  constructor(layer: string) {
    this.#layer = layer
  }

  /** Inference keeps nothing, and leaves alone what training keeps. */
  put(value: T, training: boolean): void {
    if (training) this.#value = value
  }

  /** @throws InvalidArgumentError when there was no forward pass in training since the last backward pass */
  take(): T {
    const value = this.#value
    if (value === undefined)
      throw new InvalidArgumentError(`layer "${this.#layer}": expected forward in training before backward, got none`)
    this.#value = undefined
    return value
  }
}
