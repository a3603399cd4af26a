import { type FunctionalEstimate, PlanError, type Slots } from '@he-ml/ckks-core'
import type { CompileOptions } from './options.ts'

/** How sure the decisions of a plan's functional bootstraps are. */
export class Decisions {
  #margin: number | undefined
  #failure = 0

  /** Counts a refresh of so many values at most. */
  add({ margin }: FunctionalEstimate, values: Slots): void {
    if (margin === undefined) return
    this.#margin = Math.min(this.#margin ?? margin, margin)
    this.#failure += values * twoSidedTail(margin)
  }

  /** Counts values that may be expected where functions have none, whatever the noise. */
  expect(strays: number): void {
    this.#failure += strays
  }

  /** The least; undefined without any. */
  get margin(): number | undefined {
    return this.#margin
  }
  /** Union bound over all values: that one's error is larger than its margin, or that it lies where its function has no value. */
  get failureProbability(): number {
    return Math.min(1, this.#failure)
  }
}

/** Standard deviations that decisions must be away from a wrong one: 1.3e-15 a value. */
export const LEAST_MARGIN = 8

/** What a caller said of sets for functional bootstraps. */
type Asked = Pick<CompileOptions, 'functional' | 'logN'>

/** Whether decisions are so far from a wrong one. */
export const isSure = (margin: number): boolean => margin >= LEAST_MARGIN

/** Refuses decisions that are not sure enough. */
export const unsure = (margin: number, asked: Asked): PlanError =>
  new PlanError(
    'precision',
    `the plan's neurons would decide ${margin < 1 ? 'less than one standard deviation' : `${margin.toFixed(1)} standard deviations`} from a wrong spike, at least ${LEAST_MARGIN} are wanted: ${wayOut(asked)}`,
  )

function wayOut({ functional: { set, margin } = {}, logN }: Asked): string {
  const coarser = 'train on coarser grids, or for fewer time steps'
  if (set !== undefined)
    return `leave out the option functional.set, for a set that is made for the network, or ${coarser}`
  if (margin !== undefined)
    return `leave out the option functional.margin, for the fastest set that is sure enough, or ${coarser}`
  if (logN !== undefined && logN < LARGEST_RING) return `leave out the option logN, for a larger ring, or ${coarser}`
  return coarser
}

/** log2 of its degree. */
const LARGEST_RING = 16

/** P(|x| > a) of a standard normal number, at most: the density at a over a, twice. */
export const twoSidedTail = (a: number): number =>
  a <= 0 ? 1 : Math.min(1, (2 * Math.exp((-a * a) / 2)) / (a * Math.sqrt(2 * Math.PI)))
