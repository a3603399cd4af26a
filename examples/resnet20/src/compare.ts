/** Encrypted against clear. */

export interface Outcome {
  /** Absent where the network knows other classes than the images. */
  readonly label?: number
  /** Decrypted logits. */
  readonly encrypted: ArrayLike<number>
  /** Logits of the network as it was trained. */
  readonly clear: ArrayLike<number>
  /** Of the network with polynomials for its ReLUs, in the clear: what encryption should reproduce. Quadratic ones need none. */
  readonly polynomial: ArrayLike<number>
}

export interface Comparison {
  readonly images: number
  /** Images that leave the network's range; what follows is about the others. */
  readonly strays: number
  /** Largest difference of a logit, and its bits relative to the range of all logits. */
  readonly toClear: Difference
  readonly toPolynomial: Difference
  /** Correct decisions; absent without labels. */
  readonly right?: { readonly encrypted: number; readonly clear: number }
}

export interface Difference {
  readonly largest: number
  readonly bits: number
  /** Equal decisions. */
  readonly same: number
}

/** No test image of the shipped network, mirrored or not, has a logit beyond 80; what runs away does so quickly. */
const MOST = 100

/** Whether an image leaves the range of its network, in the clear: nothing then holds it back, and it spoils its ciphertexts. */
export const isStray = (logits: ArrayLike<number>): boolean =>
  Array.from(logits).some((value) => !(Math.abs(value) < MOST))

export const argmax = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((best, value, i) => (value > values[best]! ? i : best), 0)

export function compare(outcomes: readonly Outcome[]): Comparison {
  const sound = outcomes.filter(({ clear, polynomial }) => !isStray(clear) && !isStray(polynomial))
  const labelled = sound.every(({ label }) => label !== undefined)
  const right = (which: 'encrypted' | 'clear') => sound.filter((o) => argmax(o[which]) === o.label).length
  return {
    images: outcomes.length,
    strays: outcomes.length - sound.length,
    toClear: differenceTo('clear', sound),
    toPolynomial: differenceTo('polynomial', sound),
    ...(labelled ? { right: { encrypted: right('encrypted'), clear: right('clear') } } : {}),
  }
}

function differenceTo(which: 'clear' | 'polynomial', outcomes: readonly Outcome[]): Difference {
  let [low, high, largest] = [Infinity, -Infinity, 0]
  for (const { encrypted, [which]: reference } of outcomes)
    for (const [i, value] of Array.from(reference).entries()) {
      low = Math.min(low, value)
      high = Math.max(high, value)
      largest = Math.max(largest, Math.abs(encrypted[i]! - value))
    }
  const same = outcomes.filter((o) => argmax(o.encrypted) === argmax(o[which])).length
  return { largest, bits: -Math.log2(largest / (high - low)), same }
}

/** What a person wants to know of it, a line each. */
export function comparisonText(comparison: Comparison): string[] {
  const { images, strays, toClear, toPolynomial, right } = comparison
  const sound = images - strays
  const share = (count: number) => `${count} of ${sound} (${((100 * count) / sound).toFixed(1)} %)`
  const differs = ({ largest, bits }: Difference) =>
    `at most ${largest.toPrecision(2)}, ${bits.toFixed(1)} bits of their range`
  if (sound === 0) return ['every image leaves the range of the network: nothing to compare']
  return [
    ...(strays > 0
      ? [`${strays} of ${images} images leave the range of the network, and may have spoilt others; the rest:`]
      : []),
    `decisions as in the clear: ${share(toClear.same)}`,
    `logits differ from the clear ones by ${differs(toClear)}`,
    ...(toPolynomial.largest === toClear.largest
      ? []
      : [
          `with the same polynomials in the clear: ${share(toPolynomial.same)} decisions alike, logits differ by ${differs(toPolynomial)}`,
        ]),
    ...(right ? [`right: ${share(right.encrypted)} encrypted, ${share(right.clear)} in the clear`] : []),
  ]
}
