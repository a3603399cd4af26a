/**
 * Layers that the circuit approximates by a polynomial on a range: they must be fitted to clear data before they can run
 * encrypted. `fit` records what they ask for, `calibrate` chooses the polynomial.
 */
import { type GraphLayer, isMultiOutput, type Layer, type MultiOutputLayer } from './layer.ts'
import type { Tensor } from './tensor.ts'

/** What both kinds of calibrated layer have. */
interface Calibrated {
  /** Whether the polynomial is chosen. */
  readonly calibrated: boolean
  /** The values whose range decides the polynomial, for given inputs. Absent: the first input. */
  observed?(inputs: readonly Tensor[]): Tensor
  /** From where to where the values that `observed` gives may lie, as they arrive. Absent before `calibrate`, and where no end is known. */
  readonly fittedRange?: readonly [low: number, high: number] | undefined
  /** Layers with the same are calibrated on what all of them saw. Absent: each on its own. */
  readonly calibrationGroup?: string | undefined
  /** `fit` records a histogram of each channel (the first dimension) as well. */
  readonly observesChannels?: boolean
  /** Step of the grid that the first input is meant to lie on: `fit` records how far off it does. Absent: no grid. */
  readonly inputGrid?: number | undefined
  /**
   * What calibrating and folding have decided, as plain JSON that decides the function computed: the polynomial, and the factors
   * that values are held with. A plan keeps it. Undefined before `calibrate`.
   */
  readonly fittedForm: FittedForm | undefined
}

/** Plain JSON, of a form that the layer itself knows. */
export type FittedForm = Readonly<Record<string, unknown>>

/** An activation: a layer that must be fitted to the range of its input before it can be lowered. */
export interface CalibratedLayer extends Layer, Calibrated {
  /**
   * The same layer with a polynomial chosen for these statistics.
   * @throws PlanError ('range') when no polynomial within the options' degree meets the wanted error
   */
  calibrate(statistics: InputStatistics, options: CalibrationOptions): CalibratedLayer
  /** The same layer as `fittedForm` says; nothing is fitted. @throws FormatError for what is no such form */
  withFittedForm(form: FittedForm): CalibratedLayer
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

/** The same with several results: a spiking neuron, whose charged membrane potential is observed. */
export interface CalibratedMultiOutputLayer extends MultiOutputLayer, Calibrated {
  /** @throws PlanError ('range') when no polynomial within the options' degree meets the wanted error */
  calibrate(statistics: InputStatistics, options: CalibrationOptions): CalibratedMultiOutputLayer
  /** The same layer as `fittedForm` says; nothing is fitted. @throws FormatError for what is no such form */
  withFittedForm(form: FittedForm): CalibratedMultiOutputLayer
  /** What the encrypted circuit computes, in the clear: one result per output. */
  forwardAllApproximate(inputs: readonly Tensor[]): readonly Tensor[]
}

/** A layer whose circuit needs a polynomial for its function, with one result or several. */
export type CalibratedGraphLayer = CalibratedLayer | CalibratedMultiOutputLayer

/** Whether a layer must be calibrated before it can run encrypted. */
export function isCalibrated(layer: Layer): layer is CalibratedLayer
export function isCalibrated(layer: GraphLayer): layer is CalibratedGraphLayer
export function isCalibrated(layer: GraphLayer): boolean {
  return 'calibrate' in layer
}

/** What `fit` records for a calibrated layer with these inputs. */
export const observedBy = (layer: CalibratedGraphLayer, inputs: readonly Tensor[]): Tensor =>
  layer.observed?.(inputs) ?? inputs[0]!

/** What a layer's circuit computes, in the clear: with its polynomial where it has one. One result per output. */
export function forwardApproximate(layer: GraphLayer, inputs: readonly Tensor[]): readonly Tensor[] {
  if (isMultiOutput(layer))
    return isCalibrated(layer) && 'forwardAllApproximate' in layer
      ? layer.forwardAllApproximate(inputs)
      : layer.forwardAll(inputs)
  return [isCalibrated(layer) ? layer.forwardApproximate(inputs) : layer.forward(inputs)]
}

/** How much wider than needed an activation's range may become, so that it shares a factor with others. */
export const WIDEST_RANGE = 9 / 8

/** What `fit` saw at the input of an activation. */
export interface InputStatistics {
  /** Values seen. */
  readonly count: number
  /** The smallest. */
  readonly min: number
  /** The largest. */
  readonly max: number
  /** Of all values. */
  readonly mean: number
  /** Of the values as a sample (divided by count - 1); one value has none, and 0 stands here: look at `count`. */
  readonly std: number
  /** Counts of |x| or x in equal bins over [min, max]. */
  readonly histogram: Float64Array
  /** The same of each channel, for layers that ask for it. */
  readonly channels?: ChannelHistograms
  /** How far from its grid the value of the first input was that was furthest, in steps: from 0 to 1/2. Absent for layers without a grid. */
  readonly offGrid?: number
}

/** Where the values of each channel (the first dimension of the tensor) lie. */
export interface ChannelHistograms {
  /** All have equal bins over [-half, half]. */
  readonly half: number
  /** One list for each channel. */
  readonly counts: readonly Float64Array[]
}

/** How a layer's polynomial is chosen. */
export interface CalibrationOptions {
  /** The range used is the observed one widened by this factor; at least 1. */
  readonly margin: number
  /** Exact polynomial degree wanted, or the largest allowed when `error` is given. */
  readonly degree: number
  /** Wanted largest error relative to the half range; the smallest degree that meets it is taken. */
  readonly error?: number
  /**
   * With 'least-squares', every ciphertext of a batch that holds one channel, or a few, gets the polynomial that suits these best: as many
   * operations, smaller errors. Default true; packings that hold all channels in a ciphertext have one polynomial for all.
   */
  readonly perChannel?: boolean
  /** How the polynomial is found; default 'remez', the smallest largest error. 'composite' is for ReLU only. */
  readonly method?: 'remez' | 'chebyshev' | 'least-squares' | 'composite'
}
