/**
 * The arithmetic of recurrences on ciphertexts. A known factor costs no level: an integer is multiplied in, and the rest is
 * a change of the declared scale. Operands of a sum that stand at different levels are brought to the lower one, with its
 * scale, out of the higher one's spare levels. So the recurrence's depth is the depth of its products.
 */
import { type Ciphertext, type Evaluator, toLevel } from '@he-ml/ckks-core'
import type { Arithmetic } from '../arithmetic/arithmetic.ts'

/**
 * Scales may leave the nominal one of their level by this factor before a level is spent on going back: changes of scale
 * add up over time steps, and squares double them.
 */
const LARGEST_DRIFT = 2 ** 8

/**
 * Levels consumed: add and sub none, or one when both operands stand at the same level with different scales; mul and square
 * one; scale none, or one when the scale would drift too far; addConstant none.
 *
 * @param use takes every handle that is made, to dispose of it later: the `use` of ckks-core's `scope`
 */
export function ciphertextArithmetic(
  engine: Evaluator,
  use: <T extends Disposable>(temporary: T) => T,
): Arithmetic<Ciphertext> {
  const { parameters } = engine
  const align = (a: Ciphertext, b: Ciphertext): [Ciphertext, Ciphertext] => {
    const level = Math.min(a.level, b.level)
    if (Math.abs(a.scale / b.scale - 1) < 2 ** -40)
      return [use(engine.dropLevel(a, level)), use(engine.dropLevel(b, level))]
    if (a.level > b.level) return [use(toLevel(engine, a, level, b.scale)), b]
    if (b.level > a.level) return [a, use(toLevel(engine, b, level, a.scale))]
    return [use(toLevel(engine, a, level - 1)), use(toLevel(engine, b, level - 1))]
  }
  const finish = (product: Ciphertext): Ciphertext => use(engine.rescale(use(engine.relinearize(use(product)))))
  return {
    add: (a, b) => use(engine.add(...align(a, b))),
    sub: (a, b) => use(engine.sub(...align(a, b))),
    mul: (a, b) => {
      const level = Math.min(a.level, b.level)
      // the operand with a level to spare takes the scale that lets the product land on its level's nominal one
      const target = level > 0 ? parameters.scaleAt(level - 1) * parameters.groupProduct(level) : 0
      if (a.level > level) return finish(engine.mul(use(toLevel(engine, a, level, target / b.scale)), b))
      if (b.level > level) return finish(engine.mul(a, use(toLevel(engine, b, level, target / a.scale))))
      return finish(engine.mul(a, b))
    },
    square: (a) => finish(engine.square(a)),
    scale: (a, factor) => {
      if (factor === 0 || factor === 1) return use(engine.mulInteger(a, factor))
      const whole = Math.sign(factor) * Math.ceil(Math.abs(factor))
      const rest = factor / whole
      const drift = a.scale / rest / parameters.scaleAt(a.level)
      if (drift > LARGEST_DRIFT || drift < 1 / LARGEST_DRIFT)
        return use(engine.rescale(use(engine.mulScalar(a, factor))))
      const multiplied = whole === 1 ? a : use(engine.mulInteger(a, whole))
      // the integer 1 at scale 1 / rest: only the declared scale changes
      return rest === 1 ? multiplied : use(engine.mulScalar(multiplied, rest, 1 / rest))
    },
    addConstant: (a, constant) => use(engine.addScalar(a, constant)),
  }
}
