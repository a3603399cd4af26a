/** How engines keep residues that are only read, as keys and encoded weights are: in half a word where the prime allows. */
import type { AnyParameters } from '../parameters/parameters.ts'
import type { Level } from './quantities.ts'

const isNarrow = (prime: number): boolean => prime < 2 ** 32

/** Primes of a key or an extended plaintext at a level: those of its ciphertexts, and special ones. */
export const primesAt = (parameters: AnyParameters, level: Level, specials: readonly number[]): readonly number[] => [
  ...parameters.qLimbs.slice(0, parameters.limbsAt(level)),
  ...specials,
]

/** Bytes of one residue of a key modulo each of these primes. */
export const keyResidueBytes = (primes: readonly number[]): number =>
  primes.reduce((sum, prime) => sum + (isNarrow(prime) ? 4 : 6), 0)

/** Bytes of one residue of an encoded vector modulo each of these primes. */
export const plaintextResidueBytes = (primes: readonly number[]): number =>
  primes.reduce((sum, prime) => sum + (isNarrow(prime) ? 4 : 8), 0)
