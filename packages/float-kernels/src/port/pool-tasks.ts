/** Pooling over square windows without padding, as a port's tasks. Outputs are overwritten. */
import type { Reals } from '../reals.ts'

/** Sizes of a pooling; all arrays are [planes, rows, columns]. */
export interface PoolSizes {
  /** Images times channels. */
  readonly planes: number
  /** Rows of the input. */
  readonly height: number
  /** Columns of the input. */
  readonly width: number
  /** Rows, and columns, of the window. */
  readonly kernel: number
  /** Distance between windows, in both directions. */
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
  /** [planes, rows, columns] of the output. */
  readonly outputGradient: A
  /** [planes, height, width], overwritten. */
  readonly inputGradient: A
}

/** Largest values; of equal ones the first wins. */
export interface MaxPool<A extends Reals = Reals> extends PoolSizes {
  /** [planes, height, width]. */
  readonly input: A
  /** [planes, rows, columns] of the output, overwritten. */
  readonly output: A
  /** Index in `input` of every output. */
  readonly winners: Uint32Array
}

/** Every winner gets its output's gradient; windows in ascending order, rounded after every addition. */
export interface MaxPoolBackward<A extends Reals = Reals> extends PoolSizes {
  /** [planes, rows, columns] of the output. */
  readonly outputGradient: A
  /** As {@link MaxPool} left them, one for each output. */
  readonly winners: Uint32Array
  /** [planes, height, width], overwritten. */
  readonly inputGradient: A
}
