import type { Ciphertext, Evaluator } from '@he-ml/ckks-core'
import { setErrorsAside } from './element-errors.ts'

/**
 * What is made of ciphertexts by masks that keep elements and nothing else. An engine that estimates would spread the errors of few elements
 * over all slots; here the result has the largest error that one of the ciphertexts has at its elements, and what making it adds.
 */
export function keepingElementErrors(
  engine: Evaluator,
  inputs: readonly Ciphertext[],
  make: () => Ciphertext,
): Ciphertext {
  const largest = Math.max(...inputs.map((input) => engine.estimate?.(input)?.error ?? 0))
  const aside = setErrorsAside(engine, inputs)
  try {
    const result = make()
    if (aside) engine.declareError?.(result, Math.hypot(engine.estimate!(result)!.error, largest))
    return result
  } finally {
    aside?.restore()
  }
}
