/**
 * Named parameter sets for functional bootstrapping. All are 128-bit secure with a dense ternary secret, 3 % below the table. Names are
 * ring and the largest grid that they were made for; a name's primes never change.
 */
import { createParameters } from '../../parameters/create-parameters.ts'
import type { Parameters } from '../../parameters/parameters.ts'
import { namedRequest } from '../bootstrapping/named-request.ts'
import { type FunctionalRequest, functionalLiteral } from './functional-parameters.ts'
import type { FunctionalSpec } from './functional-spec.ts'

export const FUNCTIONAL_SETS = Object.freeze({
  'N15-P16': {
    logN: 15,
    levels: 2,
    scaleBits: 28.98,
    baseBits: 35.98,
    workBits: 28.98,
    headBits: [],
    dnum: 4,
    specialBits: [47.5, 47.5, 47.5, 47.5],
    spec: {
      slots: 2 ** 14,
      content: 'complex',
      coeffsToSlots: 4,
      slotsToCoeffs: 2,
      degree: 15,
      squarings: 4,
      functionLevels: 5,
      shortKeys: true,
    },
  },
  'N15-P64': {
    logN: 15,
    levels: 2,
    scaleBits: 29.98,
    baseBits: 35.98,
    workBits: 29.98,
    headBits: [],
    dnum: 6,
    specialBits: [46.9, 46.9, 46.9],
    spec: {
      slots: 2 ** 14,
      content: 'complex',
      coeffsToSlots: 3,
      slotsToCoeffs: 2,
      degree: 15,
      squarings: 4,
      functionLevels: 7,
      shortKeys: true,
    },
  },
  'N16-P64': {
    logN: 16,
    levels: 2,
    scaleBits: 31.98,
    baseBits: 41.98,
    workBits: 31.98,
    headBits: [],
    dnum: 2,
    specialBits: new Array<number>(9).fill(47.5),
    spec: {
      slots: 2 ** 15,
      content: 'complex',
      coeffsToSlots: 4,
      slotsToCoeffs: 3,
      degree: 15,
      squarings: 4,
      functionLevels: 7,
      shortKeys: true,
    },
  },
} as const satisfies Record<string, FunctionalRequest>)

/** Names of {@link FUNCTIONAL_SETS}. */
export type FunctionalSetName = keyof typeof FUNCTIONAL_SETS

/** Parameters and the circuit they were made for. */
export interface FunctionalSet {
  /** 128-bit secure, with room for the circuit. */
  readonly parameters: Parameters
  /** The circuit that they are made for. */
  readonly spec: FunctionalSpec
}

/**
 * A named set, its circuit adapted to fewer slots or real content if wanted.
 *
 * @throws InvalidArgumentError for an unknown name
 */
export function functionalSet(name: string, adapt: Partial<FunctionalSpec> = {}): FunctionalSet {
  const request = namedRequest<FunctionalRequest>('functional bootstrapping', FUNCTIONAL_SETS, name)
  return { parameters: createParameters(functionalLiteral(request)), spec: { ...request.spec, ...adapt } }
}
