/**
 * The layer contract. A Layer is clear: shapes, an exact forward function, and how to lower itself to a slot layout. A
 * LoweredLayer knows what it costs (depth) and where its output lies; preparing it encodes the weights for a level; a
 * PreparedLayer is a circuit on the port. Keys, products and rotations are never declared: the plan engine runs the very
 * same circuit and records them. At every layer border ciphertexts have degree 1 and the nominal scale of their level.
 */
import type { Encoder, Evaluator, Level } from '@he-ml/ckks-core'
import type { PaceOptions } from './pacer.ts'
import type { PackedTensor } from './packed-tensor.ts'
import type { SlotLayout } from './slot-layout.ts'
import type { Shape, Tensor } from './tensor.ts'

/** A clear layer that knows its encrypted twin. Immutable. */
export interface Layer {
  /** 'conv2d', 'linear', 'activation', ... */
  readonly kind: string
  /** Unique in its model; appears in errors, plans and progress. */
  readonly name: string
  /** Number of input tensors. */
  readonly arity: number
  /** @throws InvalidArgumentError when the shapes do not fit; the message names the layer */
  outputShape(inputs: readonly Shape[]): Shape
  /** The exact clear function. */
  forward(inputs: readonly Tensor[]): Tensor
  /** @throws UnsupportedError when the layer cannot run on this layout; the message says which one would do */
  lower(inputs: readonly SlotLayout[], context: LowerContext): LoweredLayer
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

/** What lowering may depend on beside its inputs' layouts. */
export interface LowerContext {
  /** N/2 of the parameters. */
  readonly maxSlots: number
  /**
   * What a reader of the output bears in slots without an element; default 'zero'. 'any' allows cheaper circuits that leave
   * partial sums there; see `gapsWanted`.
   */
  readonly gaps?: 'zero' | 'any'
  /** Take this output layout if at no extra depth (the other branch of a residual addition). */
  readonly prefer?: SlotLayout
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

/** A layer bound to layouts. */
export interface LoweredLayer {
  readonly name: string
  readonly output: SlotLayout
  /** Levels consumed. */
  readonly depth: number
  /**
   * Encodes the weights for inputs at `level` (nominal scale). Long work yields to the event loop.
   * @throws whatever encoding throws; CancelledError through the signal; LevelError when level < depth
   */
  prepare(
    engine: Encoder & Evaluator,
    at: { readonly level: Level; readonly signal?: AbortSignal },
  ): Promise<PreparedLayer>
}

/** A circuit with its weights encoded; usable many times. */
export interface PreparedLayer extends Disposable {
  readonly name: string
  /**
   * Inputs at the prepared level and nominal scale; the output is at level - depth and nominal scale. Inputs are not
   * disposed of. A layer may make thousands of evaluator calls, so it pauses between them (docs/adr/0002): the promise
   * resolves when all calls are made, which is not when the engine is done.
   * @throws CancelledError through options.signal; temporaries are then disposed of
   */
  apply(evaluator: Encoder & Evaluator, inputs: readonly PackedTensor[], options?: PaceOptions): Promise<PackedTensor>
  dispose(): void
}
