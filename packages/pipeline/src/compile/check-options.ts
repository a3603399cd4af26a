/** What callers of `compile` may say. */
import {
  checkOptions as checkAny,
  InvalidArgumentError,
  type OptionCheck,
  type OptionChecks,
  optionCheck,
} from '@he-ml/ckks-core'
import type { ActivationOptions } from '../ready/calibrate-activations.ts'
import { isCalibration } from '../ready/calibration-form.ts'
import type { CompileOptions } from './options.ts'

/** @throws InvalidArgumentError for a name that is no option's, with the one that was meant; for values of the wrong kind or range */
export function checkOptions(options: CompileOptions): void {
  checkAny('compile', options, COMPILE_OPTIONS)
  const { packing = 'auto', batch = 1, parameters, request, bootstrapping } = options
  if (packing === 'multiplexed' && batch !== 1)
    throw new InvalidArgumentError(
      `multiplexed packing takes one image at a time, got a batch of ${batch}: use packing 'batch' or 'channel'`,
    )
  const forced = bootstrapping === 'always' || typeof bootstrapping === 'object'
  if (forced && (parameters || request))
    throw new InvalidArgumentError(
      'compile: bootstrapping brings its own parameters: leave out the options parameters and request, or bootstrapping',
    )
}

const { boolean, callable, finite, integer, number, object, oneOf, signal, string } = optionCheck
const isObject = (value: unknown): value is object => object(value) === undefined
const fields = <T extends object>(where: string, checks: OptionChecks<T>): OptionCheck =>
  optionCheck.fields('compile', where, checks)

const ACTIVATION = {
  margin: finite(1),
  degree: integer(1, 1023),
  error: number(Number.MIN_VALUE, 1),
  perChannel: boolean,
  method: oneOf('remez', 'chebyshev', 'least-squares', 'composite'),
}

const layers: OptionCheck = (value) => {
  if (!isObject(value)) return 'an object with options by the names of layers'
  for (const [name, own] of Object.entries(value)) {
    const wanted = fields(`activation.layers.${name}.`, ACTIVATION)(own)
    if (wanted !== undefined)
      return `an object with options by the names of layers, of which "${name}" is to be ${wanted}`
  }
  return undefined
}

/** Of each option of `compile`. */
export const COMPILE_OPTIONS: OptionChecks<CompileOptions> = {
  calibration: isCalibration,
  activation: fields<Partial<ActivationOptions>>('activation.', { ...ACTIVATION, layers }),
  packing: oneOf('auto', 'multiplexed', 'batch', 'channel'),
  batch: (value) => (integer(1, Infinity)(value) === undefined ? undefined : 'a positive number of images'),
  parameters: object,
  scaleBits: integer(1, 94),
  baseBits: integer(1, 96),
  logN: integer(10, 17),
  request: callable,
  bootstrapping: (value) => {
    if (typeof value === 'string') return oneOf('auto', 'always', 'never')(value)
    if (isObject(value) && 'levels' in value)
      return fields('bootstrapping.', { levels: integer(1, 100), precisionBits: finite(1) })(value)
    if (isObject(value) && 'set' in value) return fields('bootstrapping.', { set: string, spec: object })(value)
    return "'auto', 'always', 'never', { set } or { levels }"
  },
  functional: fields<NonNullable<CompileOptions['functional']>>('functional.', { set: string, margin: finite(1) }),
  precisionBits: number(-Infinity),
  memory: number(1),
  keepWeights: boolean,
  costModel: object,
  signal,
  onProgress: callable,
}
