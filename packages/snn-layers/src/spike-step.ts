/**
 * The port for the step of a spiking neuron. A step H(u - threshold) is no polynomial, and there are several ways to have one on
 * ciphertexts: a polynomial that is close to it, a functional bootstrap that gives it exactly on a grid, a change of scheme. A layer
 * knows none of them. It has a `SpikeStep` find a `FittedStep` for the membrane potentials that calibration saw: a soft one, whose circuit
 * goes between charge and reset, or an exact one, which gives spike and membrane together.
 */
import { type Ciphertext, type GridFunction, type OptionCheck, optionCheck } from '@he-ml/ckks-core'
import type { CalibrationOptions, FittedForm, InputStatistics } from '@he-ml/model'
import type { Grid, Neuron } from '@he-ml/model/spiking'
import type { CircuitEngine, PrepareContext } from '@he-ml/packing'

/** The neurons that a step is for. */
export interface SpikeCell {
  /** The recurrence. */
  readonly neuron: Neuron
  /** Charged membrane potentials are rounded to it. */
  readonly grid?: Grid
}

/** One way of evaluating the step. Immutable. */
export interface SpikeStep {
  /** 'polynomial', 'functional', ... */
  readonly kind: string
  /**
   * The step for charged membrane potentials like those that were seen.
   * @throws PlanError ('range') when there is none of the wanted precision
   */
  fit(cell: SpikeCell, statistics: InputStatistics, options: CalibrationOptions): FittedStep
  /** A step that was fitted before, from its form; nothing is fitted. @throws FormatError for what is no such form */
  restore(cell: SpikeCell, form: FittedForm): FittedStep
  /** What decides, beside the cell and the data, which step is fitted. Plain JSON. */
  readonly options: FittedForm
}

/** What layers take for a step. */
export const isStep: OptionCheck = (value) => {
  const { kind, fit, restore, options } = (optionCheck.object(value) === undefined ? value : {}) as Partial<SpikeStep>
  return typeof kind === 'string' &&
    typeof fit === 'function' &&
    typeof restore === 'function' &&
    optionCheck.object(options) === undefined
    ? undefined
    : 'a step, as polynomialSpikeStep or functionalSpikeStep makes one'
}

/** What a step became for the range of its inputs: soft by polynomials, or exact by functions on a grid. */
export type FittedStep = SoftStep | ExactStep

/** A step that is made for a range of charged membrane potentials. Immutable. */
export interface SoftStep {
  /** Names the form. */
  readonly kind: 'soft'
  /** Largest |u - threshold| that it is made for. */
  readonly reach: number
  /** All that decides what it computes, as plain JSON; see `SpikeStep.restore`. */
  readonly form: FittedForm
  /** What its circuit computes, in the clear: a soft spike for a charged membrane potential. */
  forward(charged: number): number
  /** The same for a reach longer by this factor; undefined when there is none of the wanted precision, or when it was restored. */
  widened(factor: number): SoftStep | undefined
  /** On ciphertexts that hold (u - threshold) / reach. @param factor by which the spikes are to be multiplied */
  circuit(factor: number): StepCircuit
}

/** Spike and membrane after reset and drift, as functions of the charged membrane potential on a grid. Immutable. */
export interface ExactStep {
  /** Names the form. */
  readonly kind: 'exact'
  /** Of the charged membrane potential: beyond it values wrap round. */
  readonly period: number
  /** Where in the period there are values: the first and the last charge, half a step of the grid around them. */
  readonly range: readonly [low: number, high: number]
  /** Share of the charges seen in calibration that the functions have no values for: their spikes may be wrong. */
  readonly beyond: number
  /** What is charged first, where a neuron starts: what is left of a membrane at 0, on the grid. */
  readonly start: number
  /** What decides its functions, as plain JSON; `SpikeStep.restore` takes it. */
  readonly form: FittedForm
  /** What the circuit computes, in the clear. */
  forward(charged: number): {
    /** 0 or 1, as near as the function gives them. */
    readonly spike: number
    /** After reset and drift. */
    readonly membrane: number
  }
  /** The functions, their results multiplied by these factors. */
  functions(factors: StepFactors): {
    /** Of the charged membrane: the spike. */
    readonly spike: GridFunction
    /** Of the charged membrane: what is left after reset and drift. */
    readonly membrane: GridFunction
  }
  /** Spikes of as many time steps with one current, the same at each, as functions of that current. */
  overSteps(steps: number, spikeFactor: number): readonly GridFunction[]
}

/** What the results of an exact step are multiplied with. */
export interface StepFactors {
  /** Spikes come out as 0 and this. */
  readonly spike: number
  /** Membranes come out times this. */
  readonly membrane: number
}

/** A soft step, bound to a factor: what evaluates it on ciphertexts. */
export interface StepCircuit {
  /** Levels consumed; at least 1. */
  readonly depth: number
  /** Encodes what it needs. */
  prepare(context: PrepareContext): Promise<PreparedStep>
}

/** @returns a new handle at level - depth with the nominal scale */
export type PreparedStep = (engine: CircuitEngine, unit: Ciphertext) => Ciphertext
