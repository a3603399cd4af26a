/** The same recurrence on ciphertexts: one neuron per slot. The step is a parameter. */
import { type ActivationPolynomial, prepareActivation } from '@he-ml/activations'
import { type Ciphertext, type Evaluator, scope } from '@he-ml/ckks-core'
import type { Neuron } from '@he-ml/model/spiking'
import { driftFromZero, type NeuronStep, resetMembrane, charge as runCharge } from '../neuron/recurrence.ts'
import { ciphertextArithmetic } from './ciphertext-arithmetic.ts'

/** A step function on ciphertexts: soft spikes for charged membrane potentials. */
export interface EncryptedStep {
  /** Levels consumed. */
  readonly depth: number
  /** @returns a new handle at level - depth, nominal scale */
  apply(engine: Evaluator, charged: Ciphertext): Ciphertext
}

/**
 * A polynomial in u - threshold as the step. An approximation of 'sign' gives (1 + p) / 2, any other function is the soft
 * spike itself. Its range must hold the charged range of `membraneRange`, moved by the threshold.
 *
 * @throws InvalidArgumentError for a constant polynomial
 */
export function polynomialStep(threshold: number, polynomial: ActivationPolynomial): EncryptedStep {
  const prepared = prepareActivation(polynomial)
  return {
    depth: prepared.depth,
    apply: (engine, charged) =>
      scope((use) => {
        const value = use(prepared.apply(engine, use(engine.addScalar(charged, -threshold))))
        if (polynomial.function !== 'sign') return value
        // (1 + p) / 2 without a level: the integer 1 at scale 2
        return use(engine.mulScalar(use(engine.addScalar(value, 1)), 0.5, 2))
      }),
  }
}

/**
 * One time step on ciphertexts. All three results are new handles; the operands stay alive.
 *
 * Levels, from the lower one of membrane potential and input: charged 0 for LIF and 1 for QIF, one more when both operands
 * stand at the same level and beta (for QIF: a product) has moved the scale; spike `step.depth` more; the membrane
 * potential ends where the spike does with reset 'subtract', one lower with 'zero', and at the charged level with 'none'.
 *
 * @param state without a membrane potential (the first step): u = 0, charged at the input's level
 * @throws LevelError with too few levels; MissingKeyError without the relinearisation key where there is a product
 * @example
 * ```ts
 * import { approximate } from '@he-ml/activations'
 * import { createClearEngine, createParameters } from '@he-ml/ckks-core'
 * import { advanceEncrypted, createNeuron, polynomialStep } from '@he-ml/snn-neurons'
 * const engine = createClearEngine(createParameters({ logN: 15, levels: 12, scaleBits: 40, dnum: 13 }))
 * const neuron = createNeuron({ kind: 'lif', beta: 0.5, threshold: 1, reset: 'subtract' })
 * const step = polynomialStep(1, approximate('sign', { range: [-4, 4], gap: 0.2, method: 'composite', degrees: [7, 13] }))
 * const input = engine.encryptClear(Float64Array.of(0.25, 1.5))
 * const { spike, membranePotential } = advanceEncrypted(engine, neuron, { input }, step)
 * console.log(engine.readClear(spike).re, engine.readClear(membranePotential).re) // about 0 1, 0.25 0.5
 * ```
 */
export function advanceEncrypted(
  engine: Evaluator,
  neuron: Neuron,
  state: { readonly membranePotential?: Ciphertext; readonly input: Ciphertext },
  step: EncryptedStep,
): NeuronStep<Ciphertext> {
  const { membranePotential, input } = state
  const [charged, spike, next] = scope((use) => {
    const arithmetic = ciphertextArithmetic(engine, use)
    const charged = membranePotential
      ? runCharge(arithmetic, neuron, membranePotential, input)
      : arithmetic.addConstant(input, driftFromZero(neuron))
    const spike = use(step.apply(engine, charged))
    const reset = resetMembrane(arithmetic, neuron, charged, spike)
    return [charged, spike, reset === charged ? use(engine.dropLevel(charged, charged.level)) : reset] as const
  })
  return { charged, spike, membranePotential: next }
}
