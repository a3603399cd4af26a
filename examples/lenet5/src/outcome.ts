/** What came out of one network, for the terminal and the page. */
import type { Plan } from '@he-ml/pipeline'
import type { DigitInput } from './inputs.ts'

export interface DigitOutcome {
  readonly input: DigitInput
  /** Decrypted and clear logits. */
  readonly encrypted: Float64Array
  readonly clear: Float64Array
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

/** How well encrypted and clear agree, over all digits. */
export function agreement(digits: readonly DigitOutcome[]): {
  same: number
  right: number
  clearRight: number
  bits: number
} {
  let low = Infinity
  let high = -Infinity
  let worst = 0
  for (const { encrypted, clear } of digits)
    for (const [i, v] of clear.entries()) {
      low = Math.min(low, v)
      high = Math.max(high, v)
      worst = Math.max(worst, Math.abs(encrypted[i]! - v))
    }
  return {
    same: digits.filter((d) => argmax(d.encrypted) === argmax(d.clear)).length,
    right: digits.filter((d) => argmax(d.encrypted) === d.input.label).length,
    clearRight: digits.filter((d) => argmax(d.clear) === d.input.label).length,
    bits: -Math.log2(worst / (high - low)),
  }
}
