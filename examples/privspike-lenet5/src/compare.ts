/** Encrypted against clear. */

/** One input's answer. Scores are the mean over time of the last layer's results, a number for each class. */
export interface Outcome {
  readonly label: number
  /** Decrypted. */
  readonly encrypted: ArrayLike<number>
  /** Of the network as it was trained. */
  readonly clear: ArrayLike<number>
  /** Of the network with soft spikes, in the clear: what encryption should reproduce. Absent where spikes are exact. */
  readonly polynomial?: ArrayLike<number>
}

export interface Comparison {
  readonly inputs: number
  /** Equal decisions. */
  readonly alike: number
  /** Results that are those of the same spikes: no score differs by {@link SAME}. */
  readonly sameSpikes: number
  /** Largest difference of a score. */
  readonly largest: number
  /** The same against the network with soft spikes in the clear; absent where spikes are exact. */
  readonly toPolynomial?: { readonly alike: number; readonly largest: number }
  readonly right: { readonly encrypted: number; readonly clear: number }
}

/** One spike more or less changes scores by more; encryption by far less. */
const SAME = 0.01

export const argmax = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((best, value, i) => (value > values[best]! ? i : best), 0)

export function compare(outcomes: readonly Outcome[]): Comparison {
  const count = (isSo: (outcome: Outcome) => boolean) => outcomes.filter(isSo).length
  const exact = outcomes.every(({ polynomial }) => polynomial === undefined)
  const soft = ({ polynomial, clear }: Outcome) => polynomial ?? clear
  return {
    inputs: outcomes.length,
    alike: count((o) => argmax(o.encrypted) === argmax(o.clear)),
    // what is no number is not the same
    sameSpikes: count((o) => difference(o.encrypted, o.clear) < SAME),
    largest: Math.max(0, ...outcomes.map((o) => difference(o.encrypted, o.clear))),
    ...(exact
      ? {}
      : {
          toPolynomial: {
            alike: count((o) => argmax(o.encrypted) === argmax(soft(o))),
            largest: Math.max(0, ...outcomes.map((o) => difference(o.encrypted, soft(o)))),
          },
        }),
    right: {
      encrypted: count((o) => argmax(o.encrypted) === o.label),
      clear: count((o) => argmax(o.clear) === o.label),
    },
  }
}

const difference = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i]!)))

/** Whether no more than one decision in twenty differs from the clear network's. */
export const isFaithful = ({ inputs, alike }: Comparison): boolean => 20 * (inputs - alike) <= inputs

/** What a person wants to know of it, a line each. */
export function comparisonText({ inputs, alike, sameSpikes, largest, toPolynomial, right }: Comparison): string[] {
  const share = (count: number) => `${count} of ${inputs} (${((100 * count) / inputs).toFixed(1)} %)`
  return [
    `right: ${share(right.encrypted)} encrypted, ${share(right.clear)} in the clear`,
    `decisions as in the clear: ${share(alike)}; scores differ by at most ${largest.toPrecision(2)}`,
    toPolynomial
      ? `with the same polynomials in the clear: ${share(toPolynomial.alike)} decisions alike; scores differ by at most ${toPolynomial.largest.toPrecision(2)}`
      : `results of the same spikes: ${share(sameSpikes)}`,
  ]
}
