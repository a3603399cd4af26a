/**
 * Noise flooding: what is published is value + error + Gaussian, the Gaussian wide enough to hide the error, which depends on
 * the secret key (Li and Micciancio, ePrint 2020/1533; Li, Micciancio, Schultz and Sorrell, ePrint 2022/816). The noise is
 * added to exactly the numbers that are published, so a few logits need far less than a whole ciphertext. Derivation and
 * limits: docs/notes/publishing-results.md.
 */
import { InvalidArgumentError } from '../errors/errors.ts'
import type { Slots } from '../port/quantities.ts'
import type { Ledger } from './ledger/ledger.ts'

/** How results are made safe to publish. The bound on their error is the ledger's, see `PlanContract.errorBound`. */
export interface PublicationOptions {
  /** The memory of the key: it holds the plan's facts, counts, and refuses. */
  readonly ledger: Ledger
  /**
   * Results that will ever be published under this key, by everyone who holds it; fixed by the first. The noise grows with
   * its root.
   */
  readonly queries: number
  /** What is published of each ciphertext: the first `count` slots. Everything else is not returned. Needed without `positions`. */
  readonly count?: number
  /**
   * What is published instead: these slots, in this order, none twice. Choose them before decryption, from what is public (a
   * layout), never from the values.
   */
  readonly positions?: readonly number[]
  /** Publish imaginary parts too (twice as many numbers); default false. */
  readonly complex?: boolean
  /** log2 of 1 / (total KL divergence allowed), from 10 to 80; default 40. Fixed by the first publication. */
  readonly statisticalBits?: number
  /** Refuse when fewer bits would remain (-log2 of the noise's standard deviation); default 0. */
  readonly precisionBits?: number
}

/** Values that may be shown to others. */
export interface PublishedSlots {
  /** Tells them from private ones. */
  readonly visibility: 'published'
  /** As in the file: an output of a model; absent where the file names none. */
  readonly name?: string
  /** One number per published slot, in the order of `positions`. */
  readonly re: Float64Array
  /** Present when imaginary parts were asked for. */
  readonly im?: Float64Array
  /** Period of the ciphertext's slots, published or not. */
  readonly slots: Slots
  /** Standard deviation of the noise added to each number. */
  readonly sigma: number
  /** As declared by the key's first publication. */
  readonly queries: number
  /** As declared by the key's first publication: log2 of 1 / (total KL divergence allowed). */
  readonly statisticalBits: number
  /** -log2(sigma). */
  readonly precisionBits: number
}

/**
 * The slots that leave, checked against the ciphertext's own.
 * @throws InvalidArgumentError unless exactly one of `count` and `positions` is given, and names slots that exist
 */
export function publishedPositions(
  slots: Slots,
  { count, positions }: Pick<PublicationOptions, 'count' | 'positions'>,
): readonly number[] {
  if ((count === undefined) === (positions === undefined))
    throw new InvalidArgumentError('publication: give either count (the first slots) or positions (which slots)')
  if (positions === undefined) {
    if (!(Number.isSafeInteger(count) && count! >= 1 && count! <= slots))
      throw new InvalidArgumentError(`count must be from 1 to ${slots}, the ciphertext's slots, got ${count}`)
    return Array.from({ length: count! }, (_, i) => i)
  }
  if (positions.length === 0) throw new InvalidArgumentError('publication: positions names no slot')
  if (new Set(positions).size !== positions.length)
    throw new InvalidArgumentError('publication: positions names a slot twice')
  for (const [i, position] of positions.entries())
    if (!(Number.isSafeInteger(position) && position >= 0 && position < slots))
      throw new InvalidArgumentError(
        `positions[${i}] must be from 0 to ${slots - 1}, the ciphertext's slots, got ${position}`,
      )
  return positions
}
