/**
 * A user's own activation. A plan holds the polynomial that was found and tells the function by name, version and values at fixed
 * points (`activationIdentity`), so it binds to this function and to no other. Its errors are measured, not proven, as nothing bounds what it does between samples.
 */
import { checkArgument, checkOptions, InvalidArgumentError, type OptionChecks, optionCheck } from '@he-ml/ckks-core'
import { type ActivationFunction, isActivationName } from './functions.ts'

/** Options of {@link customActivation}. */
export interface CustomActivationOptions {
  /** Letters, digits and . _ - ( ) , up to 64 of them, beginning with a letter; none of the catalogue. */
  readonly name: string
  /** To be changed whenever the function is: fixed points may not show a change between them. Default '1'. */
  readonly version?: string
  /** Finite on every range that it is calibrated on, 0 included; the same at each call. */
  readonly evaluate: (x: number) => number
  /** Points where the function or its derivative jumps; polynomials and their errors are better for knowing them. Default none. */
  readonly kinks?: readonly number[]
}

const OPTIONS: OptionChecks<CustomActivationOptions> = {
  name: optionCheck.anything,
  version: optionCheck.anything,
  evaluate: optionCheck.callable,
  kinks: optionCheck.list('a list of numbers'),
}

const NAME = /^[A-Za-z][\w.(), -]{0,63}$/
const VERSION = /^[\w.+-]{1,64}$/

/**
 * A function of your own, to approximate and to run encrypted.
 *
 * @throws InvalidArgumentError for a name of the catalogue or a malformed one, kinks that are not finite, a value at 0 that is not
 * @example
 * ```ts
 * import { approximate, customActivation } from '@he-ml/activations'
 * const mish = customActivation({ name: 'mish', evaluate: (x) => x * Math.tanh(Math.log1p(Math.exp(x))) })
 * console.log(approximate(mish, { range: [-6, 6], error: 0.01 }).degree) // 12
 * ```
 */
export function customActivation(options: CustomActivationOptions): ActivationFunction {
  checkOptions('customActivation', options, OPTIONS)
  const { name, version = '1', evaluate, kinks = [] } = options
  checkArgument('customActivation', 'the option evaluate', evaluate, optionCheck.callable)
  if (!NAME.test(name) || isActivationName(name))
    throw new InvalidArgumentError(
      `a custom activation needs a name of its own, a letter and up to 63 letters, digits or signs, got "${name}"`,
    )
  const wrong = (what: string): InvalidArgumentError => new InvalidArgumentError(`custom activation "${name}": ${what}`)
  if (!VERSION.test(version)) throw wrong(`its version must be up to 64 letters, digits or . + - _, got "${version}"`)
  if (!kinks.every(Number.isFinite)) throw wrong(`kinks must be finite, got [${kinks}]`)
  if (!Number.isFinite(evaluate(0)))
    throw wrong(`expected a finite value at 0, which every range holds, got ${evaluate(0)}`)
  return { name, version, evaluate, kinks: [...kinks] }
}
