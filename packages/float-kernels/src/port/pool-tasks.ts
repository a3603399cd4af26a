/** Pooling over square windows without padding, as a port's tasks. Outputs are overwritten. */
import type { Reals } from '../reals.ts'

export interface PoolSizes {
  /** Images times channels. */
  readonly planes: number
  readonly height: number
  readonly width: number
  readonly kernel: number
  readonly stride: number
}

/** Means: rows ascending, columns ascending, summed in double precision, divided by kernel^2, rounded once. */
export interface AveragePool<A extends Reals = Reals> extends PoolSizes {
  /** [planes, height, width] */
  readonly input: A
  /** [planes, rows, columns] with rows = floor((height - kernel) / stride) + 1 */
  readonly output: A
}

/** Adjoint of {@link AveragePool}: windows in ascending order add gradient / kernel^2, rounded after every addition. */
export interface AveragePoolBackward<A extends Reals = Reals> extends PoolSizes {
  readonly outputGradient: A
  readonly inputGradient: A
}

/** Largest values; of equal ones the first wins. */
export interface MaxPool<A extends Reals = Reals> extends PoolSizes {
  readonly input: A
  readonly output: A
  /** Index in `input` of every output. */
  readonly winners: Uint32Array
}

/** Every winner gets its output's gradient; windows in ascending order, rounded after every addition. */
export interface MaxPoolBackward<A extends Reals = Reals> extends PoolSizes {
  readonly outputGradient: A
  readonly winners: Uint32Array
  readonly inputGradient: A
}
