/** The exchange step of Remez: local extrema of the error over all intervals, thinned to an alternating set. */
import type { Range } from './chebyshev.ts'

/** A local extremum of an error. */
export interface Extremum {
  /** Where it is. */
  readonly x: number
  /** Signed error. */
  readonly error: number
}

export interface ExchangeOptions {
  readonly intervals: readonly Range[]
  /** The present reference; always among the searched points, so that at least as many alternations are found. */
  readonly reference: readonly number[]
  readonly kinks: readonly number[]
  /** Points wanted. */
  readonly count: number
}

/** Alternating extrema, ascending, at most `count`; and the largest |error| met anywhere. */
export function alternatingExtrema(error: (x: number) => number, options: ExchangeOptions) {
  const found = options.intervals.flatMap((interval) => localExtrema(error, interval, options))
  const largest = found.reduce((most, p) => Math.max(most, Math.abs(p.error)), 0)
  const points: Extremum[] = []
  for (const p of found) {
    const last = points[points.length - 1]
    if (!last || Math.sign(last.error) !== Math.sign(p.error)) points.push(p)
    else if (Math.abs(p.error) > Math.abs(last.error)) points[points.length - 1] = p
  }
  return { points: thin(points, options.count), largest }
}

/** Removes the smallest extrema, in pairs inside and singly at the ends, until `count` are left; alternation is kept. */
function thin(points: Extremum[], count: number): Extremum[] {
  const size = (i: number) => Math.abs(points[i]!.error)
  while (points.length > count) {
    const last = points.length - 1
    if (points.length === count + 1) {
      points.splice(size(0) < size(last) ? 0 : last, 1)
      continue
    }
    let smallest = 0
    for (let i = 1; i <= last; i++) if (size(i) < size(smallest)) smallest = i
    if (smallest === 0 || smallest === last) points.splice(smallest, 1)
    else points.splice(size(smallest - 1) < size(smallest + 1) ? smallest - 1 : smallest, 2)
  }
  return points
}

function localExtrema(error: (x: number) => number, [lo, hi]: Range, options: ExchangeOptions): Extremum[] {
  const samples = 12 * options.count + 16
  const grid: number[] = []
  for (let i = 0; i <= samples; i++) grid.push(lo + (hi - lo) * Math.sin((Math.PI * i) / (2 * samples)) ** 2)
  for (const x of [...options.reference, ...options.kinks]) if (x >= lo && x <= hi) grid.push(x)
  grid.push(hi)
  const xs = [...new Set(grid)].filter((x) => x >= lo && x <= hi).sort((a, b) => a - b)
  const es = xs.map(error)
  const found: Extremum[] = []
  for (let i = 0; i < xs.length; i++) {
    const e = es[i]!
    const s = Math.sign(e)
    if (s === 0) continue
    const before = i > 0 ? s * es[i - 1]! : -Infinity
    const after = i + 1 < xs.length ? s * es[i + 1]! : -Infinity
    if (s * e < before || s * e < after) continue
    found.push(
      refine(error, s, { x: xs[i]!, error: e }, [xs[Math.max(0, i - 1)]!, xs[Math.min(xs.length - 1, i + 1)]!]),
    )
  }
  return found
}

const GOLDEN = (Math.sqrt(5) - 1) / 2

/** Golden-section search for the largest s * error in a bracket; never worse than the starting point. */
function refine(error: (x: number) => number, s: number, start: Extremum, [lo, hi]: Range): Extremum {
  let best = start
  let [a, b] = [lo, hi]
  let x1 = b - GOLDEN * (b - a)
  let x2 = a + GOLDEN * (b - a)
  let e1 = error(x1)
  let e2 = error(x2)
  for (let i = 0; i < 26; i++) {
    if (s * e1 > s * e2) {
      if (s * e1 > s * best.error) best = { x: x1, error: e1 }
      b = x2
      x2 = x1
      e2 = e1
      x1 = b - GOLDEN * (b - a)
      e1 = error(x1)
    } else {
      if (s * e2 > s * best.error) best = { x: x2, error: e2 }
      a = x1
      x1 = x2
      e1 = e2
      x2 = a + GOLDEN * (b - a)
      e2 = error(x2)
    }
  }
  return best
}
