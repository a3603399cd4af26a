import { InvalidArgumentError } from '../errors/errors.ts'

/** What the noise of publication depends on. */
export interface FloodingNeeds {
  /** Bound on |error| of every published number. */
  readonly errorBound: number
  /** Results that will ever be published under the key. */
  readonly queries: number
  /** Real numbers published of each result. */
  readonly numbers: number
  /** log2 of 1 / (total KL divergence allowed). */
  readonly statisticalBits: number
}

/**
 * Standard deviation that makes `numbers` published numbers per query safe for `queries` queries:
 * bound * sqrt(24 * queries * numbers) * 2^(statisticalBits / 2). Derivation: docs/notes/publishing-results.md.
 * @throws InvalidArgumentError for arguments out of range
 */
export function floodingSigma({ errorBound: bound, queries, numbers, statisticalBits }: FloodingNeeds): number {
  if (!(Number.isFinite(bound) && bound > 0))
    throw new InvalidArgumentError(`errorBound must be a positive number, got ${bound}`)
  for (const [name, value] of Object.entries({ queries, numbers }))
    if (!Number.isSafeInteger(value) || value < 1)
      throw new InvalidArgumentError(`${name} must be a positive integer, got ${value}`)
  // above 80, the cut tails of the normal source (2^-56 per number) would count
  if (!(statisticalBits >= 10 && statisticalBits <= 80))
    throw new InvalidArgumentError(`statisticalBits must be from 10 to 80, got ${statisticalBits}`)
  return bound * Math.sqrt(24 * queries * numbers) * 2 ** (statisticalBits / 2)
}
