/**
 * The computation: a wall of clocks, one in every slot. A hand is a complex number on the unit circle, and a tick turns it by
 * its own angle, a product of two encrypted numbers: z <- z w. It never ends, so no supply of levels is ever enough for it,
 * and as |w| = 1 it neither amplifies errors nor forgets them: what is read off a hand is the error gathered so far.
 *
 * Everything here is written on the port, so the same lines run on real ciphertexts and on the plan engine.
 */
import {
  type Bootstrapping,
  type Ciphertext,
  createPlanEngine,
  type Evaluator,
  type KeyRequest,
  toLevel,
} from '@he-ml/ckks-core'

/** Complex numbers, one per slot. */
export interface Hands {
  readonly re: Float64Array
  readonly im: Float64Array
}

/** Unit numbers at the given angles. */
export const handsAt = (angles: Float64Array): Hands => ({ re: angles.map(Math.cos), im: angles.map(Math.sin) })

/** One tick: one product, one level. `turns` may be of any higher level; both operands are only read. */
export function tick(engine: Evaluator, hands: Ciphertext, turns: Ciphertext): Ciphertext {
  using turn = toLevel(engine, turns, hands.level)
  using product = engine.mul(hands, turn) // degree 2: the product of two linear polynomials in the secret
  using linear = engine.relinearize(product)
  return engine.rescale(linear)
}

/** The evaluation keys of all this, learnt by running it once without ciphertexts. */
export async function keysFor(circuit: Bootstrapping): Promise<KeyRequest> {
  const engine = createPlanEngine(circuit.parameters)
  using prepared = await circuit.prepare(engine)
  const used = engine.input({ level: circuit.inputLevel, slots: circuit.spec.slots })
  const fresh = prepared.bootstrap(engine, used)
  tick(engine, fresh, fresh)
  return engine.report().keyRequest
}
