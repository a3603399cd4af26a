/** What a bootstrapping circuit is, as plain JSON that a plan can carry. */
import type { Slots } from '../../port/quantities.ts'
import { polynomialDepth } from '../polynomial/index.ts'

/** What the slots hold: real values need only one of the two halves that evalMod works on. */
export type SlotContent = 'complex' | 'real'

/** What a bootstrapping circuit is made of, as JSON. */
export interface BootstrappingSpec {
  /** Period of the slot vectors: a power of two, 2^4 at least, N/2 at most. */
  readonly slots: Slots
  /** 'real' saves half of evalMod where imaginary parts are zero and may be lost. */
  readonly content: SlotContent
  /** Factors of the homomorphic Fourier transform, one level each. */
  readonly coeffsToSlots: number
  /** Factors of the transform back, one level each. */
  readonly slotsToCoeffs: number
  /** Even degree of the cosine's Chebyshev series. */
  readonly degree: number
  /** Doublings of the angle after it. */
  readonly doubleAngles: number
  /**
   * Odd degree of the polynomial that straightens the sine, at ceil(log2(degree + 1)) levels; 0 leaves it bent. The higher, the
   * smaller a message ratio will do, and the less noise is amplified; but values beyond 2^(logMessageRatio - 2) ranges look like
   * others. false and true are 0 and 3, as plans of earlier versions have it: their content hash covers them as they stand.
   */
  readonly arcsine: number | boolean
  /** log2 of q0 over the scale of the message just before modRaise. */
  readonly logMessageRatio: number
  /**
   * Whether modRaise and the first factor of coeffsToSlots are one operation (`raiseTransforms`), whose rotations have short keys of their
   * own: faster, and fewer bytes of keys; for N/2 slots and a first factor of at most six stages, otherwise nothing changes. Default false, as in plans of earlier versions.
   */
  readonly shortKeys?: boolean
}

/** Levels that each part takes. */
export interface BootstrappingLevels {
  /** From slots to coefficients, before modRaise. */
  readonly slotsToCoeffs: number
  /** From coefficients to slots, after modRaise. */
  readonly coeffsToSlots: number
  /** The sine, and what straightens it. */
  readonly evalMod: number
}

/** Degree of the polynomial after the sine; 0: none. */
export const arcsineDegree = ({ arcsine }: Pick<BootstrappingSpec, 'arcsine'>): number =>
  arcsine === true ? 3 : Number(arcsine)

/** Levels that the polynomial after the sine takes. */
export const arcsineDepth = (spec: Pick<BootstrappingSpec, 'arcsine'>): number => polynomialDepth(arcsineDegree(spec))

/** Levels of the parts of a circuit. */
export function bootstrappingLevels(spec: BootstrappingSpec): BootstrappingLevels {
  return {
    slotsToCoeffs: spec.slotsToCoeffs,
    coeffsToSlots: spec.coeffsToSlots,
    evalMod: polynomialDepth(spec.degree) + spec.doubleAngles + arcsineDepth(spec),
  }
}
