/**
 * Parameters with room for functional bootstrapping. From the bottom: the base q0, which is the period; the levels of slotsToCoeffs, those in
 * use and those of the functions, all at one scale; the levels of the exponential and of coeffsToSlots.
 */
import { InvalidArgumentError } from '../../errors/errors.ts'
import type { ParametersLiteral } from '../../parameters/parameters.ts'
import { refreshLiteral } from '../bootstrapping/bootstrapping-parameters.ts'
import { type FunctionalSpec, functionalLevels } from './functional-spec.ts'

export interface FunctionalRequest {
  /** log2 of the ring degree: 15 or 16 for secure parameters. */
  readonly logN: number
  /** Levels left for use between two refreshes. */
  readonly levels: number
  /** Bits of the scale in use. */
  readonly scaleBits: number
  /** Bits of q0, below 48. */
  readonly baseBits: number
  /** Bits of the primes of the exponential and of coeffsToSlots. */
  readonly workBits: number
  /** Bits of the exponential's first levels, from the top, where they differ; above 48, a level is a pair of primes. */
  readonly headBits: readonly number[]
  readonly dnum: number
  /**
   * Bits of each special prime. The first ones serve the ephemeral secret too, and q0 times them must stay below its limit
   * (`MAX_LOG_SPARSE_128`).
   */
  readonly specialBits: readonly number[]
  readonly spec: FunctionalSpec
}

/** Explicit primes for a request; deterministic. */
export function functionalLiteral(request: FunctionalRequest): ParametersLiteral {
  const { logN, levels, scaleBits, baseBits, workBits, headBits, dnum, specialBits, spec } = request
  const parts = functionalLevels(spec)
  if (!Number.isInteger(levels) || levels < 0)
    throw new InvalidArgumentError(`functional bootstrapping: levels must not be negative, got ${levels}`)
  const head = Array.from({ length: parts.exponential }, (_, i) => headBits[i] ?? workBits)
  const above = [...head.reverse(), ...new Array<number>(parts.coeffsToSlots).fill(workBits)]
  const used = parts.slotsToCoeffs + levels + parts.functions
  return refreshLiteral({ logN, scaleBits, baseBits, used, above, dnum, specialBits })
}
