/** Small parameter sets for the tests of this package; not exported. */
import { insecureParameters } from '../parameters/create-parameters.ts'

/** One prime a level, 40 bits. */
export const oneprime40 = insecureParameters({ logN: 10, levels: 8, scaleBits: 40 })
/** One prime a level, 30 bits. */
const oneprime30 = insecureParameters({ logN: 10, levels: 8, scaleBits: 30 })
/** Two primes a level. */
const twoprime56 = insecureParameters({ logN: 10, levels: 8, scaleBits: 56 })

/** The sets by name, for `describe.each`. */
export const testParameters = [
  ['30 bits', oneprime30],
  ['40 bits', oneprime40],
  ['56 bits, two primes a level', twoprime56],
] as const
