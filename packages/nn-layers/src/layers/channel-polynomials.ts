/**
 * Polynomials of single channels. Where a ciphertext holds one channel of many images, or a few, coefficients are scalars of that
 * ciphertext, so each may have the polynomial that is best where its own values lie: as many operations, errors two thirds as large
 * (docs/notes/channel-packing.md). All are on one range, and of one degree and depth.
 */
import {
  type ActivationFunction,
  type ActivationPolynomial,
  fitDensities,
  type SeriesPolynomial,
} from '@he-ml/activations'
import { FormatError } from '@he-ml/ckks-core'
import type { ChannelHistograms } from '@he-ml/model'
import type { SlotLayout } from '@he-ml/packing'

/** Chebyshev coefficients in place of those of the layer's own polynomial, on the same range. */
export interface ChannelPolynomials {
  /** Neighbouring channels that have one polynomial together. */
  readonly share: number
  /** One list for each `share` channels, the last may be for fewer; as long as that of the layer's polynomial. */
  readonly coefficients: readonly (readonly number[])[]
}

/** The same, found when they are asked for. */
export interface LazyChannels {
  readonly share: number
  /** How many lists there are. */
  readonly groups: number
  coefficients(): ChannelPolynomials['coefficients']
}

/** Which channels a ciphertext of a layout holds. */
export interface ChannelPlaces {
  /** Channels in each ciphertext. */
  readonly share: number
  /** Index of the first, over `share`. */
  groupAt(ciphertext: number): number
}

/** Undefined where a ciphertext holds channels that are no neighbours, or all of them. */
export function channelPlaces(layout: SlotLayout): ChannelPlaces | undefined {
  const [channels] = layout.shape as [number]
  if (layout.kind === 'batch') {
    const size = layout.ciphertexts / channels
    return { share: 1, groupAt: (ciphertext) => Math.floor(ciphertext / size) }
  }
  if (layout.kind === 'multiplexed' || channels % layout.image[0] !== 0) return undefined
  const share = (layout.channelOffsets.length * channels) / layout.image[0]
  const inGroup = Math.ceil(layout.image[0] / layout.channelOffsets.length)
  return share < channels ? { share, groupAt: (ciphertext) => ciphertext % inGroup } : undefined
}

/** What all channels saw counts as this many values of each: some were seen a few hundred times only. */
const PRIOR = 256
/** Digits that are kept: the rest is far below the noise, and plans are shorter without it. */
const DIGITS = 10

/** The polynomials for histograms of the channels. */
export function fitChannels(
  fn: ActivationFunction,
  { range, degree }: SeriesPolynomial,
  { half, counts }: ChannelHistograms,
  share: number,
): LazyChannels {
  const groups = Math.ceil(counts.length / share)
  let fitted: ChannelPolynomials['coefficients'] | undefined
  const fit = () => {
    const densities = densitiesOf(counts, share).map((sum) => ({ range: [-half, half] as const, counts: sum }))
    const fits = fitDensities(fn.evaluate, densities, { range, degree })
    return fits.map((coefficients) => [...coefficients].map((c) => Number(c.toPrecision(DIGITS))))
  }
  return {
    share,
    groups,
    coefficients: () => {
      fitted ??= fit()
      return fitted
    },
  }
}

/** What groups of neighbouring channels saw, and a little of what all did. */
function densitiesOf(counts: readonly Float64Array[], share: number): Float64Array[] {
  const all = sumOf(counts)
  const seen = all.reduce((a, b) => a + b, 0)
  return Array.from({ length: Math.ceil(counts.length / share) }, (_, group) => {
    const own = sumOf(counts.slice(group * share, (group + 1) * share))
    return own.map((count, i) => count + (seen > 0 ? (all[i]! * PRIOR) / seen : 0))
  })
}

function sumOf(counts: readonly Float64Array[]): Float64Array {
  const sum = new Float64Array(counts[0]!.length)
  for (const own of counts) for (let i = 0; i < sum.length; i++) sum[i]! += own[i]!
  return sum
}

/** The polynomial of one group of channels. */
export function ofGroup(polynomial: SeriesPolynomial, coefficients: readonly number[]): SeriesPolynomial {
  return { ...polynomial, series: { coefficients, range: polynomial.range } }
}

/** Channels differ, but not so much. */
const MOST_LARGER = 1e6
/** What is smaller than this, relative to the constant, may be round-off. */
const ROUND_OFF = 1e-9

/** Reads them back. @throws FormatError */
export function parseChannels(data: unknown, polynomial: ActivationPolynomial, where: string): LazyChannels {
  const fields = (typeof data === 'object' && data !== null ? data : {}) as Record<string, unknown>
  const { share, coefficients } = fields
  const wrong = (what: string): FormatError => new FormatError(`${where}: polynomials of channels: expected ${what}`)
  if (polynomial.kind !== 'series') throw wrong('none, for a composite')
  if (typeof share !== 'number' || !Number.isInteger(share) || share < 1) throw wrong('a positive integer "share"')
  const unknown = Object.keys(fields).find((name) => name !== 'share' && name !== 'coefficients')
  if (unknown !== undefined) throw wrong(`no field "${unknown}"`)
  if (!Array.isArray(coefficients) || coefficients.length === 0) throw wrong('a list "coefficients"')
  const { length } = polynomial.series.coefficients
  const most = MOST_LARGER * Math.max(...polynomial.series.coefficients.map(Math.abs))
  const isList = (list: unknown): list is number[] =>
    Array.isArray(list) && list.length === length && list.every((c) => typeof c === 'number' && Math.abs(c) <= most)
  if (!coefficients.every(isList))
    throw wrong(`${length} coefficients for each, none a million times those of the common polynomial`)
  if (coefficients.some((list) => list.slice(1).every((c) => Math.abs(c) <= ROUND_OFF * Math.abs(list[0]!))))
    throw wrong('no constants')
  const lists = coefficients.map((list) => [...list])
  return { share, groups: lists.length, coefficients: () => lists }
}
