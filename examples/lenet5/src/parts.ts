/** The networks of the demo one after the other: those that the engines hold run, the others are named with the reason. */
import { PlanError } from '@he-ml/ckks-core'
import type { Model } from '@he-ml/model'
import { type ClassifyOptions, classify } from './classify.ts'
import type { Engines } from './engines.ts'
import type { DigitInput } from './inputs.ts'
import { agreement, argmax, type NetworkOutcome } from './outcome.ts'

/** One network on some digits. */
export interface Part extends Omit<ClassifyOptions, 'engines'> {
  readonly model: Model
  readonly digits: readonly DigitInput[]
}

/** What became of the parts. */
export interface Shown {
  readonly outcomes: readonly NetworkOutcome[]
  /** Parts that the engines cannot hold, with the reason. */
  readonly leftOut: readonly { readonly title: string; readonly reason: string }[]
}

/**
 * Runs each part and says what came out.
 *
 * @param parts made when their turn comes
 * @throws PlanError for a network without a plan on the native engine: there is none that would do more
 */
export async function showParts(parts: readonly (() => Promise<Part>)[], engines: Engines): Promise<Shown> {
  const outcomes: NetworkOutcome[] = []
  const leftOut: { title: string; reason: string }[] = []
  for (const make of parts) {
    const { model, digits, ...how } = await make()
    try {
      const outcome = await classify(model, digits, { ...how, engines })
      outcomes.push(outcome)
      say(outcome)
    } catch (error) {
      if (engines.name === 'native' || !(error instanceof PlanError)) throw error
      console.log(`  left out: ${error.message}`)
      leftOut.push({ title: how.title, reason: error.message })
    }
  }
  return { outcomes, leftOut }
}

/** What was left out and what to install; empty when nothing was. */
export const leftOutText = (leftOut: Shown['leftOut']): string =>
  leftOut.length === 0
    ? ''
    : `left out, for want of the native engine:
${leftOut.map(({ title, reason }) => `  ${title}\n    ${reason}`).join('\n')}
To run all of it, install CMake 3.20 or newer and a C++20 compiler (Debian, Ubuntu: apt-get install cmake g++ make) and start npm run demo again: it builds the engine.`

function say({ digits, times }: NetworkOutcome): void {
  const { same, right, clearRight, bits, polynomialBits } = agreement(digits)
  for (const { input, encrypted, clear, seconds } of digits.length > 16 ? [] : digits)
    console.log(`  a ${input.label}: encrypted ${argmax(encrypted)}, clear ${argmax(clear)}, ${seconds.toFixed(2)} s`)
  const inference = times.inference!
  const each = inference / digits.length
  console.log(
    `  ${same} of ${digits.length} decisions as in the clear; right: ${right} encrypted, ${clearRight} clear; ` +
      `logits agree to ${polynomialBits.toFixed(1)} bits with the ${polynomialBits === bits ? 'clear network' : `polynomial network, ${bits.toFixed(1)} with the exact one`}\n` +
      `  inference ${inference.toFixed(2)} s, ${each >= 0.1 ? `${each.toFixed(2)} s` : `${(each * 1000).toFixed(2)} ms`} a digit; ` +
      `encryption ${times.encrypt!.toFixed(2)} s, decryption ${times.decrypt!.toFixed(2)} s`,
  )
}
