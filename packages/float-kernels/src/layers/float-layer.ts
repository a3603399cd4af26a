/**
 * What a clear layer adds to its contract when it can run in single precision on many inputs at once. A layer without it runs by
 * its `forward`, input by input.
 */
import type { Shape } from '@he-ml/model'
import type { FloatKernels } from '../port/float-kernels.ts'

/** Tensors of one shape, one after another, each row-major. Not to be changed once made: layers that only rename share `data`. */
export interface FloatBatch {
  /** Of one tensor, without the batch dimension. */
  readonly shape: Shape
  /** How many tensors there are. */
  readonly count: number
  /** [count, ...shape] */
  readonly data: Float32Array
}

/** A layer with one result that also runs on batches. */
export interface FloatLayer {
  /**
   * The exact clear function in single precision: for each input what `forward` gives, up to rounding.
   * @param inputs of shapes that `outputShape` takes, all of one count
   */
  forwardFloat(kernels: FloatKernels<Float32Array>, inputs: readonly FloatBatch[]): Promise<FloatBatch>
}

/** Whether a layer runs on batches. */
export const isFloatLayer = <L extends object>(layer: L): layer is L & FloatLayer => 'forwardFloat' in layer
