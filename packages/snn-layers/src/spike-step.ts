/**
 * The port for the step of a spiking neuron. A step H(u - threshold) cannot be computed exactly on ciphertexts, and there are
 * several ways not to: a polynomial, a functional bootstrap, a change of scheme. A layer knows none of them. It has a
 * `SpikeStep` find a `FittedStep` for the membrane potentials that calibration saw, and puts its circuit between charge and
 * reset.
 */
import type { Ciphertext } from '@he-ml/ckks-core'
import type { CalibrationOptions, FittedForm, InputStatistics } from '@he-ml/model'
import type { CircuitEngine, PrepareContext } from '@he-ml/packing'

/** One way of evaluating the step. Immutable. */
export interface SpikeStep {
  /** 'polynomial', ... */
  readonly kind: string
  /**
   * The step for charged membrane potentials like those that were seen.
   * @throws PlanError ('range') when there is none of the wanted precision
   */
  fit(threshold: number, statistics: InputStatistics, options: CalibrationOptions): FittedStep
  /** A step that was fitted before, from its form; nothing is fitted. @throws FormatError for what is no such form */
  restore(threshold: number, form: FittedForm): FittedStep
  /** What decides, beside the threshold and the data, which step is fitted. Plain JSON. */
  readonly options: FittedForm
}

/** A step that is made for a range of charged membrane potentials. Immutable. */
export interface FittedStep {
  /** Largest |u - threshold| that it is made for. */
  readonly reach: number
  /** All that decides what it computes, as plain JSON; see `SpikeStep.restore`. */
  readonly form: FittedForm
  /** What its circuit computes, in the clear: a soft spike for a charged membrane potential. */
  forward(charged: number): number
  /** The same for a reach longer by this factor; undefined when there is none of the wanted precision, or when it was restored. */
  widened(factor: number): FittedStep | undefined
  /** On ciphertexts that hold (u - threshold) / reach. @param factor by which the spikes are to be multiplied */
  circuit(factor: number): StepCircuit
}

export interface StepCircuit {
  /** Levels consumed; at least 1. */
  readonly depth: number
  /** Encodes what it needs. */
  prepare(context: PrepareContext): Promise<PreparedStep>
}

/** @returns a new handle at level - depth with the nominal scale */
export type PreparedStep = (engine: CircuitEngine, unit: Ciphertext) => Ciphertext
