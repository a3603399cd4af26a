/**
 * Noise flooding: what is published is value + error + Gaussian, the Gaussian wide enough to hide the error, which depends on
 * the secret key (Li and Micciancio, ePrint 2020/1533; Li, Micciancio, Schultz and Sorrell, ePrint 2022/816). The noise is
 * added to exactly the numbers that are published, so a few logits need far less than a whole ciphertext. Derivation and
 * limits: docs/notes/publishing-results.md.
 */
import { InvalidArgumentError, PlanError } from '../errors/errors.ts'
import type { Slots } from '../port/quantities.ts'
import type { PrivateSlots } from './client-engine.ts'
import { secureNormals } from './normal-source.ts'

/** How results are made safe to publish. */
export interface PublicationOptions {
  /** Ciphertexts that will ever be published under this key, by everyone who holds it; the noise grows with its root. */
  readonly queries: number
  /** Bound on |error| of every published number, in its own units; see {@link errorBound}. */
  readonly errorBound: number
  /** What is published of each ciphertext: the first `count` slots. Everything else is not returned. Needed without `positions`. */
  readonly count?: number
  /**
   * What is published instead: these slots, in this order, none twice. Choose them before decryption, from what is public (a
   * layout), never from the values.
   */
  readonly positions?: readonly number[]
  /** Publish imaginary parts too (twice as many numbers); default false. */
  readonly complex?: boolean
  /** log2 of 1 / (total KL divergence allowed); default 40. */
  readonly statisticalBits?: number
  /** Refuse when fewer bits would remain (-log2 of the noise's standard deviation); default 0. */
  readonly precisionBits?: number
}

/** Values that may be shown to others. */
export interface PublishedSlots {
  readonly visibility: 'published'
  readonly name?: string
  /** One number per published slot, in the order of `positions`. */
  readonly re: Float64Array
  /** Present when imaginary parts were asked for. */
  readonly im?: Float64Array
  readonly slots: Slots
  /** Standard deviation of the noise added to each number. */
  readonly sigma: number
  readonly queries: number
  readonly statisticalBits: number
  /** -log2(sigma). */
  readonly precisionBits: number
}

/**
 * Bound on one real number's error from the root mean square of the complex slot error, as the plan engine estimates it: 8
 * standard deviations, exceeded with probability 2^-49 per number if the estimate holds.
 */
export const errorBound = (slotErrorRms: number): number => 8 * Math.SQRT1_2 * slotErrorRms

/**
 * Standard deviation that makes `numbers` published numbers per query safe for `queries` queries:
 * bound * sqrt(24 * queries * numbers) * 2^(statisticalBits / 2).
 * @throws InvalidArgumentError for arguments out of range
 */
export function floodingSigma(of: {
  readonly errorBound: number
  readonly queries: number
  readonly numbers: number
  readonly statisticalBits: number
}): number {
  const { errorBound: bound, queries, numbers, statisticalBits } = of
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

/** Slots published of each ciphertext. @throws InvalidArgumentError unless exactly one of `count` and `positions` is given */
function publishedCount({ count, positions }: PublicationOptions): number {
  if ((count === undefined) === (positions === undefined))
    throw new InvalidArgumentError('publication: give either count (the first slots) or positions (which slots)')
  if (positions && new Set(positions).size !== positions.length)
    throw new InvalidArgumentError('publication: positions names a slot twice')
  return positions?.length ?? count!
}

/** The slots that leave, checked against the ciphertext's own. */
function publishedPositions(slots: Slots, options: PublicationOptions): readonly number[] {
  const { count, positions } = options
  if (positions === undefined) {
    if (!(Number.isSafeInteger(count) && count! >= 1 && count! <= slots))
      throw new InvalidArgumentError(`count must be from 1 to ${slots}, the ciphertext's slots, got ${count}`)
    return Array.from({ length: count! }, (_, i) => i)
  }
  for (const [i, position] of positions.entries())
    if (!(Number.isSafeInteger(position) && position >= 0 && position < slots))
      throw new InvalidArgumentError(
        `positions[${i}] must be from 0 to ${slots - 1}, the ciphertext's slots, got ${position}`,
      )
  return positions
}

/** The sigma for these options. @throws PlanError when fewer than the wanted bits would remain */
export function publicationSigma(options: PublicationOptions): number {
  const { queries, complex = false, statisticalBits = 40, precisionBits = 0 } = options
  const slots = publishedCount(options)
  const numbers = complex ? 2 * slots : slots
  const sigma = floodingSigma({ errorBound: options.errorBound, queries, numbers, statisticalBits })
  const left = -Math.log2(sigma)
  if (left < precisionBits)
    throw new PlanError(
      'range',
      `publishing ${numbers} numbers in ${queries} queries at ${statisticalBits} statistical bits leaves ${left.toFixed(1)} bits, wanted ${precisionBits}: raise the scale by ${Math.ceil(precisionBits - left)} bits, publish fewer numbers or queries, or publish only a decision (the argmax)`,
    )
  return sigma
}

/**
 * Makes decrypted values publishable.
 * @throws InvalidArgumentError, PlanError when too little precision would remain
 */
export function publishSlots(slots: PrivateSlots, options: PublicationOptions): PublishedSlots {
  const { complex = false, queries, statisticalBits = 40 } = options
  const sigma = publicationSigma(options)
  const positions = publishedPositions(slots.slots, options)
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

/** Drops the digits far below the noise, where the rounding of doubles would otherwise show. */
function roundTo(value: number, sigma: number): number {
  const step = 2 ** (Math.floor(Math.log2(sigma)) - 10)
  return Math.round(value / step) * step
}
