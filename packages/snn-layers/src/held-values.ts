/**
 * Factors at no level. A ciphertext that has a level to spare takes any scale on its way down; if that is f times the nominal
 * one, the same polynomials at the nominal scale stand for f times the value.
 */
import { type Ciphertext, type Evaluator, scope, toLevel } from '@he-ml/ckks-core'
import type { Neuron } from '@he-ml/model/spiking'

/** A positive factor as an integer, which is multiplied in, and the rest in (1/2, 1], which the scale takes. */
export function splitFactor(factor: number): { readonly whole: number; readonly rest: number } {
  const whole = Math.max(1, Math.ceil(factor))
  return { whole, rest: factor / whole }
}

/** The value times a positive factor at a lower level, nominal scale; takes no further level. @returns a new handle */
export function timesAtLevel(engine: Evaluator, a: Ciphertext, factor: number, level: number): Ciphertext {
  return scope((use) => {
    const nominal = engine.parameters.scaleAt(level)
    return declaredTimes(engine, use(toLevel(engine, a, level, nominal * splitFactor(factor).rest)), factor)
  })
}

/** The value times a positive factor, and the scale divided by its rest: no level. @returns a new handle */
export function declaredTimes(engine: Evaluator, a: Ciphertext, factor: number): Ciphertext {
  const { whole, rest } = splitFactor(factor)
  return scope((use) => {
    const multiplied = use(whole === 1 ? engine.dropLevel(a, a.level) : engine.mulInteger(a, whole))
    // the integer 1 at scale 1 / rest: only the declared scale changes
    return rest === 1 ? multiplied : engine.mulScalar(multiplied, rest, 1 / rest)
  })
}

/**
 * By what the membrane potential after the reset is best multiplied, so that the drift leaves the state times `held`: for LIF,
 * beta u is the state itself; for QIF, the product of (root u - root u1) and (root u - root u2) is, with root = sqrt(a held).
 */
export const resetFactor = (neuron: Neuron, held: number): number =>
  neuron.kind === 'lif' ? neuron.beta * held : Math.sqrt(neuron.a * held)
