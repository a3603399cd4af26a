/** Whole numbers from `from` to at most `to`, evenly, a dozen or fewer; Vega's own ticks may fall between two of them. */
export function wholeTicks(from: number, to: number): number[] {
  const steps = [1, 2, 5].flatMap((digit) => [1, 10, 100, 1000, 10_000].map((power) => digit * power))
  const step = steps.toSorted((a, b) => a - b).find((size) => (to - from) / size <= 11) ?? to - from
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, i) => from + i * step)
}
