/**
 * The clear layer contract. A layer says what shapes it takes, what it computes exactly, and which constants may be moved into
 * it or out of it at no cost. It is data: immutable, and without any knowledge of slots. How it runs on ciphertexts is a
 * second contract (`Lowerable`, in packing) that most layers also keep.
 */
import type { Shape, Tensor } from './tensor.ts'

/** A clear layer with one result. Immutable. */
export interface Layer {
  /** 'conv2d', 'linear', 'activation', ... */
  readonly kind: string
  /** Appears in errors; the name of its node in a model unless that has another. */
  readonly name: string
  /** Number of input tensors. */
  readonly arity: number
  /** @throws InvalidArgumentError when the shapes do not fit; the message names the layer */
  outputShape(inputs: readonly Shape[]): Shape
  /** The exact clear function. */
  forward(inputs: readonly Tensor[]): Tensor
  /** The same layer with its output multiplied by a constant, at no extra depth; absent when that is impossible. */
  scaleOutput?(factor: number): Layer
  /** The layer x -> forward(factor * x), at no extra depth; absent when that is impossible. */
  scaleInput?(factor: number): Layer
  /** forward(c * x) = c * forward(x), c real: a factor on the output may be moved to all inputs. Absent: not known. */
  readonly homogeneous?: boolean
  /**
   * forward(x) = factor * layer.forward(x), where `layer` is homogeneous and saves the level that the factor costs (average
   * pooling is a sum and 1/k^2), for inputs of these shapes. `foldFactors` moves the factor into neighbours. Undefined or
   * absent when there is none.
   */
  factored?(inputs: readonly Shape[]): { readonly factor: number; readonly layer: Layer } | undefined
  /** Large values in slots without an element would spoil the result (a polynomial outside its range). Absent: they do not. */
  readonly gapSensitive?: boolean
}

/** An activation: a layer that must be fitted to the range of its input before it can be lowered. */
export interface CalibratedLayer extends Layer {
  readonly calibrated: boolean
  /**
   * The same layer with a polynomial chosen for these statistics.
   * @throws PlanError ('range') when no polynomial within the options' degree meets the wanted error
   */
  calibrate(statistics: InputStatistics, options: CalibrationOptions): CalibratedLayer
  /** What the encrypted circuit computes, in the clear; equals forward for polynomial functions. */
  forwardApproximate(inputs: readonly Tensor[]): Tensor
  /**
   * Factor that the input, as it arrives, must be multiplied by before the circuit ([-B, B] -> [-1, 1]). A positive integer
   * is exact and free; anything else costs a level, so `compile` lets neighbours take it over (`foldFactors`).
   */
  readonly inputScale: number
  /**
   * The layer for an input that arrives multiplied by `factor`. Where that leaves an `inputScale` just above an integer, a
   * polynomial that `calibrate` found is found again on a range wider by at most {@link WIDEST_RANGE}, which makes it one.
   */
  withInputFactor(factor: number): CalibratedLayer
}

/** How much wider than needed an activation's range may become, so that it shares a factor with others. */
export const WIDEST_RANGE = 9 / 8

export const isCalibrated = (layer: Layer): layer is CalibratedLayer => 'calibrate' in layer

/** What `fit` saw at the input of an activation. */
export interface InputStatistics {
  readonly count: number
  readonly min: number
  readonly max: number
  readonly mean: number
  /** Of the values as a sample (divided by count - 1); one value has none, and 0 stands here: look at `count`. */
  readonly std: number
  /** Counts of |x| or x in equal bins over [min, max]. */
  readonly histogram: Float64Array
}

export interface CalibrationOptions {
  /** The range used is the observed one widened by this factor; at least 1. */
  readonly margin: number
  /** Exact polynomial degree wanted, or the largest allowed when `error` is given. */
  readonly degree: number
  /** Wanted largest error relative to the half range; the smallest degree that meets it is taken. */
  readonly error?: number
  /** How the polynomial is found; default 'remez', the smallest largest error. 'composite' is for ReLU only. */
  readonly method?: 'remez' | 'chebyshev' | 'least-squares' | 'composite'
}
