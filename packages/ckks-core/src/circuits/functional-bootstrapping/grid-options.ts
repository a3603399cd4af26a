/** What functions of few values are made from. */

/** Points of a period. */
export const MAX_GRID_POINTS = 256

/** A point that occurs. */
export interface GridPoint {
  /** From 0; negative ones and those beyond the period count around it. */
  readonly index: number
  /** The function's value there. */
  readonly value: number
  /** How often it occurs, in any unit; default 1. */
  readonly weight?: number
}

/** Options of {@link gridFunction}. */
export interface GridFunctionOptions {
  /** Steps in the period: from 2 to {@link MAX_GRID_POINTS}. */
  readonly points: number
  /** What the function is at the points that occur; at the others it is free. */
  readonly values: readonly GridPoint[]
  /** Of the trigonometric polynomial. Default: the lowest 2^m - 1 that meets all values; with `noise`, a level more. */
  readonly degree?: number
  /**
   * Standard deviation of the errors that arguments have, in steps; up to 0.1. The function is then as close to the value of a point as least
   * squares can be where such errors lead from there, so that most of an error does not arrive. Default 0: through the values.
   */
  readonly noise?: number
  /**
   * For functions of two values: two levels more, and errors come out squared. The two values, or true for those that there are; both must be
   * named where only one occurs.
   */
  readonly cleaned?: boolean | readonly [low: number, high: number]
}
