/**
 * An engine that estimates knows one error per ciphertext, the root mean square over its slots. After a layer most slots may
 * hold nothing (ten logits in 2^14 slots), and the mean says little of those that do: the last layer of ResNet-20 was
 * predicted 6 bits better than it is. A layer knows its elements. So the errors of its inputs are set aside while the circuit
 * runs, which leaves what the circuit itself adds, in every slot alike; then they arrive as they do at the elements.
 */
import type { Ciphertext, Evaluator } from '@he-ml/ckks-core'

/** Errors of some ciphertexts, declared to be 0 until `restore`. */
export interface ErrorsAside {
  /** Adds them to the results', multiplied by the gain. */
  arriveAt(results: readonly Ciphertext[], gain: number): void
  /** Puts the errors back. */
  restore(): void
}

/**
 * Declares the errors of some ciphertexts to be 0 for a while.
 * @returns undefined on engines that do not estimate
 */
export function setErrorsAside(engine: Evaluator, inputs: readonly Ciphertext[]): ErrorsAside | undefined {
  const errors = inputs.map((input) => engine.estimate?.(input)?.error)
  if (errors.length === 0 || errors.some((error) => error === undefined)) return undefined
  const typical = Math.sqrt(errors.reduce<number>((sum, error) => sum + error! ** 2, 0) / errors.length)
  for (const input of inputs) engine.declareError?.(input, 0)
  return {
    arriveAt: (results, gain) => {
      for (const result of results)
        engine.declareError?.(result, Math.hypot(engine.estimate!(result)!.error, gain * typical))
    },
    restore: () => {
      for (const [i, input] of inputs.entries()) engine.declareError?.(input, errors[i]!)
    },
  }
}
