/** What a network asks of its bootstraps. */
import type { Slots } from '../port/quantities.ts'

/** What a set is designed for; see {@link designRefresh}. */
export interface RefreshNeed {
  /** Levels between the result of a bootstrap and the next one's input. */
  readonly levels: number
  /** Bits that a value in the unit disc keeps: -log2 of the root mean square error, relative to its range. */
  readonly precisionBits: number
  /** Bits of the scale in use. Default 22 more than the precision: a rescaling at N = 2^16 errs by 2^14 over the scale. */
  readonly scaleBits?: number
  /** log2 of the ring degree; default 15 and 16. */
  readonly rings?: readonly number[]
  /** Period of the values; default as many as a ring has. */
  readonly slots?: Slots
  /**
   * Odd degree of the polynomials by which functions are evaluated on the way, see `PrepareBootstrappingOptions.functions`; the
   * precision is that of a value without one. Default: no functions.
   */
  readonly functionDegree?: number
}

/** Bits of scale beyond those that are wanted of the values. */
const BEYOND = 22

/** Just below a whole number: uniform residues of a prime just above a power of two take twice as many random words. */
export const justBelow = (bits: number): number => Math.floor(bits) - 0.02

/** The scale that a need asks for. */
export const scaleOf = ({ precisionBits, scaleBits }: RefreshNeed): number =>
  justBelow(scaleBits ?? precisionBits + BEYOND)
