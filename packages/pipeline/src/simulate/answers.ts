/** Which output is the largest: what a network that decides between classes answers. */

/** Relative to the largest. */
const TIE = 1e-9

/** Index of the largest value, of the first one where several are. */
export const largest = (values: Float64Array): number =>
  values.reduce((best, v, i) => (v > values[best]! ? i : best), 0)

/** Whether a result answers as the exact one does, or as it might have: outputs of spiking networks are often the same. One that left all bounds does not. */
export const answersAlike = (exact: Float64Array, other: Float64Array): boolean =>
  other.every(Number.isFinite) && exact[largest(other)]! >= almost(exact)

/** What is as large as the largest but for rounding. */
function almost(values: Float64Array): number {
  const most = values[largest(values)]!
  return most - TIE * values.reduce((size, v) => Math.max(size, Math.abs(v)), 0)
}
