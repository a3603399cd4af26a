/** Supremum of a function from bounds on pieces: pieces whose upper bound stands out are halved until it does not. */
import type { Range } from './chebyshev.ts'

/** Bounds of a non-negative function: `lower` is a value it takes in the piece, `upper` is never exceeded there. */
export interface PieceBound {
  readonly lower: number
  readonly upper: number
  /** What `upper` may stand above the supremum by, whatever that is: rounding, which does not shrink with the piece; default 0. */
  readonly slack?: number
}

/** Bounds of the largest value of a function. */
export interface Supremum {
  /** A value that is taken. */
  readonly sampled: number
  /** A bound that is not exceeded. */
  readonly certified: number
}

/**
 * @param bound bounds on [middle - radius, middle + radius]
 * @param splits interior points that pieces must not contain (kinks)
 */
export function boundSupremum(
  bound: (middle: number, radius: number) => PieceBound,
  [lo, hi]: Range,
  splits: readonly number[] = [],
): Supremum {
  const tolerance = 1e-3
  const inner = splits.filter((x) => x > lo && x < hi)
  const borders = [...new Set([lo, ...inner, hi])].sort((a, b) => a - b)
  const open: Range[] = []
  for (let i = 0; i + 1 < borders.length; i++) open.push([borders[i]!, borders[i + 1]!])
  let sampled = 0
  for (const [a, b] of open)
    for (let i = 0; i <= 2048; i++)
      sampled = Math.max(sampled, bound(a + (b - a) * Math.sin((Math.PI * i) / 4096) ** 2, 0).lower)
  let certified = 0
  let budget = 400_000
  for (let piece = open.pop(); piece; piece = open.pop()) {
    const [a, b] = piece
    const middle = 0.5 * (a + b)
    // the radius covers both ends whichever way the middle was rounded
    const { lower, upper, slack = 0 } = bound(middle, Math.max(b - middle, middle - a))
    sampled = Math.max(sampled, lower)
    if (upper <= sampled * (1 + tolerance) + 2 * slack || budget <= 0 || middle <= a || middle >= b) {
      certified = Math.max(certified, upper)
      continue
    }
    budget--
    open.push([a, middle], [middle, b])
  }
  return { sampled, certified: Math.max(certified, sampled) }
}
