/** Decrypted values to published ones. Internal: without the ledger's count before it, this is no protection. */
import { SecurityError } from '../errors/errors.ts'
import type { PrivateSlots } from './client-engine.ts'
import type { PublicationTerms } from './ledger/ledger.ts'
import { secureNormals } from './normal-source.ts'
import type { PublishedSlots } from './publication.ts'

/**
 * Largest slot over the error's bound. A double has 53 bits and decoding adds up N of them, which costs at most 6 more at N =
 * 2^17 (rounding errors add by squares): below 2^47 times the bound, rounding stays below the bound, which has two bits of
 * room. Far above (from 2^53 sigma on) the noise itself would not change the last bit, and the error would be published as it
 * is.
 */
export const MAX_SLOT_OVER_BOUND = 2 ** 47

/** What is published of a ciphertext. */
export interface Flooding {
  readonly positions: readonly number[]
  readonly complex: boolean
  readonly terms: PublicationTerms
  readonly errorBound: number
}

/** @throws SecurityError when a value is so large that doubles lose the noise */
export function floodSlots(slots: PrivateSlots, { positions, complex, terms, errorBound }: Flooding): PublishedSlots {
  checkSize(slots, MAX_SLOT_OVER_BOUND * errorBound)
  const { sigma, queries, statisticalBits } = terms
  const flooded = (values: Float64Array): Float64Array => {
    const noise = secureNormals(positions.length)
    return noise.map((g, i) => roundTo(values[positions[i]!]! + sigma * g, sigma))
  }
  return {
    visibility: 'published',
    ...(slots.name === undefined ? {} : { name: slots.name }),
    re: flooded(slots.re),
    ...(complex ? { im: flooded(slots.im) } : {}),
    slots: slots.slots,
    sigma,
    queries,
    statisticalBits,
    precisionBits: -Math.log2(sigma),
  }
}

/** All slots, for decoding spreads the rounding of the largest one over all others. */
function checkSize({ re, im }: PrivateSlots, most: number): void {
  for (const half of [re, im])
    for (const value of half)
      if (!(Math.abs(value) <= most))
        throw new SecurityError(
          `publication: a slot is larger than 2^${Math.log2(most).toFixed(1)}, so that doubles would lose the noise: the result is none of the plan's, or its scale is too large to publish; nothing was published`,
        )
}

/** Drops the digits far below the noise, where the rounding of doubles would otherwise show. */
function roundTo(value: number, sigma: number): number {
  const step = 2 ** (Math.floor(Math.log2(sigma)) - 10)
  return Math.round(value / step) * step
}
