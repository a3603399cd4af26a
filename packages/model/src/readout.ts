/** From the results of all time steps to the model's: their sum, their mean, or the last one. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { digestText } from './digest-parts.ts'
import type { Layer } from './layer.ts'
import { createTensor, type Shape, sameShape, type Tensor } from './tensor.ts'

/** How the results of all time steps become one. */
export type Readout = 'sum' | 'mean' | 'last'

/** The readout of results in the order of time. */
export function readOut(readout: Readout, results: readonly Tensor[]): Tensor {
  const last = results[results.length - 1]!
  if (readout === 'last' || results.length === 1) return last
  const total = Float64Array.from(results[0]!.data)
  for (const { data } of results.slice(1)) for (let i = 0; i < total.length; i++) total[i] = total[i]! + data[i]!
  if (readout === 'mean') for (let i = 0; i < total.length; i++) total[i] = total[i]! * (1 / results.length)
  return createTensor(last.shape, total)
}

/** The sum or mean of the same value at several time steps, as a layer: what `unroll` puts at the end. */
export class ReadoutLayer implements Layer {
  readonly kind = 'readout'
  readonly homogeneous = true
  readonly name: string
  readonly arity: number
  /** Which of the two. */
  readonly readout: 'sum' | 'mean'

  constructor(name: string, readout: 'sum' | 'mean', steps: number) {
    this.name = name
    this.arity = steps
    this.readout = readout
  }

  digestParts(): readonly Uint8Array[] {
    return [digestText([this.readout, this.arity])]
  }
  outputShape(inputs: readonly Shape[]): Shape {
    const [first] = inputs
    if (inputs.length !== this.arity || !first || !inputs.every((shape) => sameShape(shape, first)))
      throw new InvalidArgumentError(
        `layer "${this.name}": expected ${this.arity} inputs of one shape, got ${inputs.map((s) => `[${s}]`).join(', ')}`,
      )
    return first
  }
  forward(inputs: readonly Tensor[]): Tensor {
    this.outputShape(inputs.map((t) => t.shape))
    return readOut(this.readout, inputs)
  }
}
