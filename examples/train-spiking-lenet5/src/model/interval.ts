/** 1.96: 95 % of a normal distribution lie within so many deviations. */
const DEVIATIONS = 1.959963984540054

/**
 * Wilson's interval for a share, 95 % confidence: the shares p for which `correct` of `count` lies within 1.96 deviations,
 * sqrt(p (1 - p) / count), of p. Good near 0 and 1 too (E. B. Wilson, 1927).
 */
export function wilsonInterval(correct: number, count: number): readonly [low: number, high: number] {
  const z2 = DEVIATIONS ** 2
  const share = correct / count
  const middle = (share + z2 / (2 * count)) / (1 + z2 / count)
  const half = (DEVIATIONS / (1 + z2 / count)) * Math.sqrt((share * (1 - share)) / count + z2 / (4 * count * count))
  return [Math.max(0, middle - half), Math.min(1, middle + half)]
}
