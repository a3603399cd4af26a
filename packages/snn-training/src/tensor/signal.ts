/**
 * What flows between layers: one mini-batch at every time step, [steps * batch, ...shape] row-major, time outermost, so that
 * a layer without state treats time as more batch. A signal that is the same at every time step (a static, direct-coded
 * input and all that is computed from it before the first neuron) is kept once, with steps = 1.
 */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { type Shape, sizeOf } from '@he-ml/model'
import type { Reals } from '@he-ml/snn-neurons'

/** A mini-batch over time. */
export interface Signal {
  /** [steps * batch, ...shape] */
  readonly data: Reals
  /** Number of time steps; 1 stands for the same values at every step. */
  readonly steps: number
  /** Samples side by side. */
  readonly batch: number
  /** Of one sample at one time step. */
  readonly shape: Shape
}

/** Single precision for training, double for checking gradients. */
export type Precision = 'float32' | 'float64'

/** Zeros in a precision. */
export const zeros = (precision: Precision, length: number): Reals =>
  precision === 'float32' ? new Float32Array(length) : new Float64Array(length)

/** Zeros like the given values, of the same or another length. */
export const zerosLike = (values: Reals, length = values.length): Reals =>
  values instanceof Float32Array ? new Float32Array(length) : new Float64Array(length)

/**
 * A signal of checked size.
 * @throws InvalidArgumentError unless the data have exactly steps * batch * shape values
 */
export function createSignal(signal: Signal): Signal {
  const expected = signal.steps * signal.batch * sizeOf(signal.shape)
  if (signal.data.length !== expected)
    throw new InvalidArgumentError(
      `signal: expected ${expected} values for ${signal.steps} steps of ${signal.batch} x [${signal.shape}], got ${signal.data.length}`,
    )
  return signal
}

/** The same values at every one of `steps` time steps; a signal that already has them is returned as it is. */
export function repeatOverTime(signal: Signal, steps: number): Signal {
  if (signal.steps === steps) return signal
  const data = zerosLike(signal.data, signal.data.length * steps)
  for (let t = 0; t < steps; t++) data.set(signal.data, t * signal.data.length)
  return { ...signal, data, steps }
}

/** Adjoint of {@link repeatOverTime}: the sum over time when the original had one step. */
export function sumOverTime(gradient: Signal, steps: number, allocate?: (length: number) => Reals): Signal {
  if (gradient.steps === steps) return gradient
  const size = gradient.data.length / gradient.steps
  const data = allocate ? allocate(size).fill(0) : zerosLike(gradient.data, size)
  for (let t = 0; t < gradient.steps; t++) {
    const at = t * size
    for (let i = 0; i < size; i++) data[i] = data[i]! + gradient.data[at + i]!
  }
  return { ...gradient, data, steps: 1 }
}
