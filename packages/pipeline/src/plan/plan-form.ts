/** What a plan says, member by member. */
import type { BootstrappingSpec, FunctionalSpec, KeyRequest, ParametersLiteral } from '@he-ml/ckks-core'
import type { ActivationOptions } from '../ready/calibrate-activations.ts'
import type { InputRange } from '../ready/calibration.ts'
import type { Decided } from '../ready/prepare-model.ts'
import type { PlanReport } from './plan-report.ts'

/** A bootstrapping circuit of a plan, encoded once for all its ranges. */
export interface PlanCircuit {
  /** Which circuit. */
  readonly spec: BootstrappingSpec
  /** Ranges it is used for, ascending: slots lie in [-range, range]. */
  readonly ranges: readonly number[]
  /** How many bootstraps of a refresh go in lock step at most. Absent: one after another, which takes less memory. */
  readonly together?: number
}

/** How a plan bootstraps. */
export interface PlanBootstrapping {
  /** Circuits; tasks name them by index. */
  readonly circuits: readonly PlanCircuit[]
  /** False when the search for the placement had to leave states out: a faster one may exist. */
  readonly exact: boolean
}

/** A circuit of layers that refresh what they compute, encoded once for all its periods. */
export interface PlanFunctionalCircuit {
  /** Which circuit. */
  readonly spec: FunctionalSpec
  /** Periods it is used for, ascending, in the unit of the values, which it reads modulo their period. */
  readonly periods: readonly number[]
  /** How many bootstraps of a layer go in lock step at most. Absent: one after another, which takes less memory. */
  readonly together?: number
}

/** Circuits of layers that refresh what they compute. */
export interface PlanFunctional {
  /** At least one. */
  readonly circuits: readonly PlanFunctionalCircuit[]
}

/** What every task of a plan tells about its run. */
export interface PlanTaskFigures {
  /** Which tile of the batch, from 0; absent where there is one. */
  readonly tile?: number
  /** Keys that it uses, as indices into the list of the key request (relinearisation, rotations, conjugation, encapsulation). */
  readonly keys: readonly number[]
  /** Bytes of ciphertexts by which it rises above what lived before. */
  readonly workBytes: number
}

/** A layer at work, or a tile of one. */
export interface PlanLayerTask extends PlanTaskFigures {
  /** Node of the unrolled model. */
  readonly layer: string
  /** Level at which it reads its inputs. */
  readonly level: number
}

/** A bootstrap of some values. */
export interface PlanRefreshTask extends PlanTaskFigures {
  /** Their names: the input, or the nodes whose results they are. */
  readonly values: readonly string[]
  /** Index into the circuits of `Plan.bootstrapping`. */
  readonly circuit: number
  /** One of the ranges of the circuit; slots lie in [-range, range]. */
  readonly range: number
  /** Ciphertexts that masks lay side by side into one; 1: none are. A power of two. */
  readonly merge: number
}

/** A layer, or a bootstrap. */
export type PlanTask = PlanLayerTask | PlanRefreshTask

/** Ciphertexts at one end of a plan. */
export interface PlanEndpoint {
  /** Their level. */
  readonly level: number
  /** Their scale, as the factor itself. */
  readonly scale: number
  /** Period of their slots, a power of two up to N/2. */
  readonly slots: number
  /** How many there are, those of all frames together. */
  readonly ciphertexts: number
  /** A SlotLayout as JSON; `inputLayoutOf` and `outputLayoutOf` read it. */
  readonly layout: Readonly<Record<string, unknown>>
}

/** Values that inputs are rounded to: k * step, for k = -count / 2 .. count / 2 - 1. */
export interface PlanGrid {
  /** Distance of two neighbours, positive. */
  readonly step: number
  /** How many there are, an even number. */
  readonly count: number
}

/** What a client encrypts. */
export interface PlanInput extends PlanEndpoint {
  /**
   * Of inputs that change over time: how many frames there are. The layout is that of one; `ciphertexts` counts those of all,
   * the first frame's first. Absent: the input does not change.
   */
  readonly frames?: number
  /** Clients round values to these before they encrypt them (`packInputs` does). Absent: they do not. */
  readonly grid?: PlanGrid
  /** What clients may encrypt: the elements that `fit` saw, with the plan's margin. Absent without calibration. */
  readonly range?: InputRange
}

/** The model that a plan was made for. */
export interface PlanModel {
  /** Its name. */
  readonly name: string
  /** `modelDigest` of it: SHA-256 in hex. */
  readonly digest: string
  /** Shape of its input, or of a frame, without the batch. */
  readonly input: readonly number[]
  /** Shape of its output, without the batch. */
  readonly output: readonly number[]
}

/**
 * Everything that is decided before any key exists, as JSON: no weights. Made by {@link compile}, read from a file by {@link parsePlan},
 * bound to its model again by {@link bindPlan}.
 */
export interface Plan {
  /** Marks its files. */
  readonly format: 'he-ml/plan'
  /** Of the format. */
  readonly version: 1
  /** SHA-256 of the canonical JSON of everything else, in hex. */
  readonly id: string
  /** What it was made for. */
  readonly model: PlanModel
  /** One image in few ciphertexts, image = slot, or a channel of many images in a ciphertext. */
  readonly packing: 'multiplexed' | 'batch' | 'channel'
  /** Images per run. */
  readonly batch: number
  /** The parameters as a literal; `parametersOf` makes them, and checks that they are 128-bit secure. */
  readonly parameters: ParametersLiteral
  /** How activations became polynomials; for the reader. */
  readonly activation: ActivationOptions
  /** What decides the function computed beside the weights: polynomials, and the factors that values are held with. */
  readonly decided: Decided
  /** The keys that a run needs, each at the highest level of its uses: what a client makes. */
  readonly keyRequest: KeyRequest
  /** What layers leave in slots without an element: what their readers bear (`wanted`), or always zero. */
  readonly gaps: 'wanted' | 'zero'
  /** Groups of ciphertexts in a tile of a batch, at most. */
  readonly tile: 1 | 2
  /** Whether layers may join two real inputs in a complex slot, where that is cheaper. */
  readonly pairs: boolean
  /** Layers and bootstraps in the order in which they run. */
  readonly tasks: readonly PlanTask[]
  /** Bytes of encoded weights, by their names; those that several tasks share are there once. */
  readonly weights: Readonly<Record<string, number>>
  /** Bytes of those that take less while their limbs are made at each use, as runs do that do not keep weights. */
  readonly deferredWeights: Readonly<Record<string, number>>
  /** Whether runs keep encoded weights for the next input; false where the memory allows no more than dropping them after use. */
  readonly keepWeights: boolean
  /** Absent in leveled plans. */
  readonly bootstrapping?: PlanBootstrapping
  /** Absent where no layer refreshes what it computes. */
  readonly functional?: PlanFunctional
  /** What a client encrypts. */
  readonly input: PlanInput
  /** What a client gets back. */
  readonly output: PlanEndpoint
  /** What all of it costs, and how exact it is. */
  readonly report: PlanReport
}
