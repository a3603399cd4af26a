/** What came out of one network, for the terminal and the page. */
import type { Plan } from '@he-ml/pipeline'
import type { DigitInput } from './inputs.ts'

export interface DigitOutcome {
  readonly input: DigitInput
  /** Decrypted logits. */
  readonly encrypted: Float64Array
  /** Logits of the network as it was trained. */
  readonly clear: Float64Array
  /** Logits of the network with polynomials for activations, in the clear: what encryption should reproduce. */
  readonly polynomial: Float64Array
  /** Seconds of encrypted inference; for a batch, its share. */
  readonly seconds: number
}

export interface NetworkOutcome {
  readonly title: string
  readonly plan: Plan
  readonly digits: readonly DigitOutcome[]
  /** Named times in seconds. */
  readonly times: Readonly<Record<string, number>>
  readonly peakBytes: number
}

export const argmax = (values: Float64Array): number => values.reduce((best, v, i) => (v > values[best]! ? i : best), 0)

export interface Agreement {
  /** Decisions equal to those of the trained network. */
  readonly same: number
  readonly right: number
  readonly clearRight: number
  /** Largest difference of a logit relative to the range of all, in bits: to the trained and to the polynomial network. */
  readonly bits: number
  readonly polynomialBits: number
}

/** How well encrypted and clear agree, over all digits. */
export function agreement(digits: readonly DigitOutcome[]): Agreement {
  const bitsOf = (reference: 'clear' | 'polynomial'): number => {
    let [low, high, worst] = [Infinity, -Infinity, 0]
    for (const digit of digits)
      for (const [i, v] of digit[reference].entries()) {
        low = Math.min(low, v)
        high = Math.max(high, v)
        worst = Math.max(worst, Math.abs(digit.encrypted[i]! - v))
      }
    return -Math.log2(worst / (high - low))
  }
  return {
    same: digits.filter((d) => argmax(d.encrypted) === argmax(d.clear)).length,
    right: digits.filter((d) => argmax(d.encrypted) === d.input.label).length,
    clearRight: digits.filter((d) => argmax(d.clear) === d.input.label).length,
    bits: bitsOf('clear'),
    polynomialBits: bitsOf('polynomial'),
  }
}
