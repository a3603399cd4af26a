/**
 * Named parameter sets for bootstrapping. All are 128-bit secure with a dense ternary secret, 3 % below the table. Names are
 * ring and levels between two bootstraps; a name's primes never change. Sizes are just below whole bits: uniform residues of a
 * prime just above a power of two take twice as many random words, and keys are expanded from their seeds.
 */
import { createParameters } from '../../parameters/create-parameters.ts'
import type { Parameters } from '../../parameters/parameters.ts'
import { type BootstrappingRequest, bootstrappingLiteral } from './bootstrapping-parameters.ts'
import type { BootstrappingSpec } from './bootstrapping-spec.ts'
import { namedRequest } from './named-request.ts'

export const BOOTSTRAPPING_SETS = Object.freeze({
  'N16-B10': {
    logN: 16,
    levels: 10,
    scaleBits: 41.98,
    baseBits: 47.9,
    workBits: 47.9,
    headBits: [47.9, 57.9, 55.9],
    dnum: 3,
    specialBits: [47.9, 47.9, 47.9, 47.9, 47.9, 47.9, 47.9, 47.9, 47.9],
    spec: {
      slots: 2 ** 15,
      content: 'complex',
      coeffsToSlots: 3,
      slotsToCoeffs: 3,
      degree: 30,
      doubleAngles: 3,
      arcsine: 0,
      logMessageRatio: 11,
      shortKeys: true,
    },
  },
  'N15-B4': {
    logN: 15,
    levels: 4,
    scaleBits: 33.98,
    baseBits: 41.98,
    workBits: 43.98,
    headBits: [43.98, 53.9, 51.9],
    dnum: 10,
    specialBits: [41.98, 47.5],
    spec: {
      slots: 2 ** 12,
      content: 'complex',
      coeffsToSlots: 3,
      slotsToCoeffs: 2,
      degree: 30,
      doubleAngles: 3,
      arcsine: 0,
      logMessageRatio: 9,
      shortKeys: true,
    },
  },
} as const satisfies Record<string, BootstrappingRequest>)

/** Names of {@link BOOTSTRAPPING_SETS}. */
export type BootstrappingSetName = keyof typeof BOOTSTRAPPING_SETS

/** Parameters and the circuit they were made for. */
export interface BootstrappingSet {
  /** 128-bit secure, with room for the circuit. */
  readonly parameters: Parameters
  /** The circuit that they are made for. */
  readonly spec: BootstrappingSpec
}

/**
 * A named set, its circuit adapted to fewer slots or real content if wanted.
 *
 * @throws InvalidArgumentError for an unknown name
 */
export function bootstrappingSet(name: string, adapt: Partial<BootstrappingSpec> = {}): BootstrappingSet {
  const request = namedRequest<BootstrappingRequest>('bootstrapping', BOOTSTRAPPING_SETS, name)
  return { parameters: createParameters(bootstrappingLiteral(request)), spec: { ...request.spec, ...adapt } }
}
