/**
 * Parameters with room for functional bootstrapping. From the bottom: the base q0, which is the period; the levels of slotsToCoeffs, those in
 * use and those of the functions, all at one scale; the levels of the exponential and of coeffsToSlots.
 */
import { InvalidArgumentError } from '../../errors/errors.ts'
import type { ParametersLiteral } from '../../parameters/parameters.ts'
import { type RefreshRequest, refreshLiteral } from '../bootstrapping/bootstrapping-parameters.ts'
import { type FunctionalSpec, functionalLevels } from './functional-spec.ts'

/** Of a functional bootstrapping set. */
export type FunctionalRequest = RefreshRequest<FunctionalSpec>

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
