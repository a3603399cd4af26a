/**
 * A complex slot carries two real values for the price of one wherever the computation is real-linear. These helpers split
 * and join the halves; multiplication by i is exact and free (docs/adr/0001), conjugation is one key switch.
 */
import type { Evaluator } from '../port/engine.ts'
import type { Ciphertext } from '../port/handles.ts'

/** **Twice** the real part of every slot: x + conj(x). Fold the factor into the next constant; no level is spent. */
export function doubledRealPart(engine: Evaluator, a: Ciphertext): Ciphertext {
  const conjugate = engine.conjugate(a)
  const sum = engine.add(a, conjugate)
  conjugate.dispose()
  return sum
}

/** **Twice** the imaginary part of every slot, as a real vector: i (conj(x) - x). No level is spent. */
export function doubledImaginaryPart(engine: Evaluator, a: Ciphertext): Ciphertext {
  const conjugate = engine.conjugate(a)
  const difference = engine.sub(conjugate, a)
  conjugate.dispose()
  const result = engine.mulByI(difference)
  difference.dispose()
  return result
}

/** **Twice** both parts, with a single conjugation. */
export function doubledParts(
  engine: Evaluator,
  a: Ciphertext,
): {
  /** 2 Re(a), in real slots. */
  real: Ciphertext
  /** 2 Im(a), in real slots. */
  imaginary: Ciphertext
} {
  const conjugate = engine.conjugate(a)
  const real = engine.add(a, conjugate)
  const difference = engine.sub(conjugate, a)
  const imaginary = engine.mulByI(difference)
  conjugate.dispose()
  difference.dispose()
  return { real, imaginary }
}

/** real + i imaginary; same level and scale. Exact, no key needed. */
export function joinParts(engine: Evaluator, real: Ciphertext, imaginary: Ciphertext): Ciphertext {
  const turned = engine.mulByI(imaginary)
  const result = engine.add(real, turned)
  turned.dispose()
  return result
}
