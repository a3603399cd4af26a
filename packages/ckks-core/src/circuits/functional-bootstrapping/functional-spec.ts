/** What a functional bootstrapping circuit is, as plain JSON that a plan can carry. */
import type { Slots } from '../../port/quantities.ts'
import type { SlotContent } from '../bootstrapping/bootstrapping-spec.ts'
import { polynomialDepth } from '../polynomial/index.ts'

/** What a functional bootstrapping circuit is made of, as JSON. */
export interface FunctionalSpec {
  /** Period of the slot vectors: a power of two, 2^4 at least, N/2 at most. */
  readonly slots: Slots
  /** 'real' saves half of the work after coeffsToSlots where imaginary parts are zero and may be lost. */
  readonly content: SlotContent
  /** Factors of the homomorphic Fourier transform, one level each. */
  readonly coeffsToSlots: number
  /** Factors of the transform back, one level each. */
  readonly slotsToCoeffs: number
  /** Degree of the Chebyshev series of exp(2 pi i x / 2^squarings). */
  readonly degree: number
  /** Squarings after it. */
  readonly squarings: number
  /** Levels that functions may take, cleaning included; results come out below them. */
  readonly functionLevels: number
  /** As in `BootstrappingSpec`. */
  readonly shortKeys?: boolean
}

/** Levels that each part takes. */
export interface FunctionalLevels {
  /** From slots to coefficients, before modRaise. */
  readonly slotsToCoeffs: number
  /** From coefficients to slots, after modRaise. */
  readonly coeffsToSlots: number
  /** The exponential: its series and the squarings after it. */
  readonly exponential: number
  /** Functions of it, cleaning included. */
  readonly functions: number
}

/** Levels of the parts of a circuit. */
export function functionalLevels(spec: FunctionalSpec): FunctionalLevels {
  return {
    slotsToCoeffs: spec.slotsToCoeffs,
    coeffsToSlots: spec.coeffsToSlots,
    exponential: polynomialDepth(spec.degree) + spec.squarings,
    functions: spec.functionLevels,
  }
}
