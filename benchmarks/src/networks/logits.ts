/** How well encrypted logits agree with clear ones. */

export const argmax = (values: Float64Array): number => values.reduce((best, v, i) => (v > values[best]! ? i : best), 0)

/** Percent of inputs on which both decide alike. */
export function agreementPercent(a: readonly Float64Array[], b: readonly Float64Array[]): number {
  const same = a.filter((logits, i) => argmax(logits) === argmax(b[i]!)).length
  return (100 * same) / a.length
}

/** Percent of inputs decided as labelled. */
export function accuracyPercent(logits: readonly Float64Array[], labels: readonly number[]): number {
  const right = logits.filter((l, i) => argmax(l) === labels[i]).length
  return (100 * right) / logits.length
}

/** -log2 of the largest difference over the range of the clear logits, over all inputs together. */
export function logitsBits(encrypted: readonly Float64Array[], clear: readonly Float64Array[]): number {
  let low = Infinity
  let high = -Infinity
  let worst = 0
  for (const [i, logits] of clear.entries())
    for (const [k, value] of logits.entries()) {
      low = Math.min(low, value)
      high = Math.max(high, value)
      worst = Math.max(worst, Math.abs(encrypted[i]![k]! - value))
    }
  return -Math.log2(worst / (high - low))
}

/** -log2 of the root mean square difference of all logits. */
export function errorBits(encrypted: readonly Float64Array[], clear: readonly Float64Array[]): number {
  let squares = 0
  let count = 0
  for (const [i, logits] of clear.entries())
    for (const [k, value] of logits.entries()) {
      squares += (encrypted[i]![k]! - value) ** 2
      count++
    }
  return -0.5 * Math.log2(squares / count)
}
