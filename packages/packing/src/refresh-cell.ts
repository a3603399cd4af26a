import type { GridFunction, PeriodicFunction } from '@he-ml/ckks-core'
import type { SlotLayout } from './slot-layout.ts'

/** What a refreshing layer computes. */
export interface RefreshCell {
  /** The layer's name, for errors. */
  readonly name: string
  /** Of a value and perhaps another one that is added to it. */
  readonly inputs: readonly SlotLayout[]
  /** Added where there is no other value. */
  readonly start: number
  /** Of the sum, in its units. */
  readonly period: number
  /** One for each output. */
  readonly functions: readonly PeriodicFunction[]
  /** Grid points in a period. */
  readonly points: number
  /** Share of the sums that the functions have no values for. Default 0. */
  readonly beyond?: number
  /** Those of the functions whose results come back in a later sum: membranes. Default none. */
  readonly carried?: readonly GridFunction[]
}
