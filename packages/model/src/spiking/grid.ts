/** A grid of values as plain data: k * step for k = -count / 2 .. count / 2 - 1. */
export interface Grid {
  /** Distance between neighbours, positive. A power of two makes every point exact in floating point. */
  readonly step: number
  /** Number of points, even. */
  readonly count: number
}

/** Lowest and highest point. */
export const gridRange = ({ step, count }: Grid): readonly [low: number, high: number] => [
  (-count / 2) * step,
  (count / 2 - 1) * step,
]

/**
 * Half a step, and what sums of points may be off by when they were rounded on the way: then a half is still one, on every machine
 * and in single precision too.
 */
const HALF = 0.5 + 2 ** -10

/** The nearest point (halves upwards), clipped to the grid's range. */
export function nearestOnGrid(value: number, { step, count }: Grid): number {
  const index = Math.floor(value / step + HALF)
  return Math.min(count / 2 - 1, Math.max(-count / 2, index)) * step
}
