/** What callers of the layers' functions may say: a misspelt option would silently be its default, and a missing one a TypeError somewhere below. */
import { checkOptions, InvalidArgumentError, type OptionCheck, type OptionChecks, optionCheck } from '@he-ml/ckks-core'

const { anything, boolean, finite, integer, list, object } = optionCheck

/** A name may be anything that files use for one. */
const name: OptionCheck = (value) => (typeof value === 'string' ? undefined : 'a name')
const tensor: OptionCheck = (value) =>
  object(value) === undefined && Array.isArray((value as { shape?: unknown }).shape) && 'data' in (value as object)
    ? undefined
    : 'a tensor (createTensor)'
const vector: OptionCheck = (value) => (value instanceof Float64Array ? undefined : 'a Float64Array')
const number: OptionCheck = (value) => (typeof value === 'number' ? undefined : 'a number')
const numbers = list('a list of numbers', number)
/** Of windows; sizes are judged with the kernel. */
const sizes: OptionCheck = (value) =>
  number(value) === undefined || numbers(value) === undefined ? undefined : 'a number or a list of them'

/** Of each function; what must be there comes first in its pair. */
const LAYERS = {
  activation: [['name', 'function'], { name, function: anything, polynomial: object }],
  add: [['name'], { name }],
  affine: [['name'], { name, multiplier: vector, shift: vector }],
  averagePool2d: [['name', 'kernel'], pool()],
  batchNorm: [
    ['name', 'mean', 'variance'],
    { name, mean: vector, variance: vector, gamma: vector, beta: vector, epsilon: finite(0) },
  ],
  concat: [['name', 'inputs'], { name, inputs: number }],
  conv2d: [
    ['name', 'weights'],
    { name, weights: tensor, bias: vector, groups: integer(1), stride: sizes, padding: sizes, dilation: sizes },
  ],
  flatten: [['name'], { name }],
  globalAveragePool: [['name'], { name }],
  identity: [['name'], { name }],
  linear: [['name', 'weights'], { name, weights: tensor, bias: vector }],
  maxPool2d: [
    ['name', 'input', 'shape', 'kernel'],
    { name, input: name, shape: numbers, kernel: sizes, stride: sizes },
  ],
  prelu: [['name', 'slopes'], { name, slopes: vector }],
  quadratic: [['name', 'leading'], { name, leading: number, linear: number, constant: number }],
  reshape: [['name', 'shape'], { name, shape: numbers }],
  select: [['name', 'sizes', 'strides'], { name, offset: number, sizes: numbers, strides: numbers, shape: numbers }],
  sumPool2d: [['name', 'kernel'], pool()],
} as const satisfies Readonly<Record<string, readonly [readonly string[], Readonly<Record<string, OptionCheck>>]>>

function pool() {
  const kernel: OptionCheck = (value) =>
    value === 'global' ? undefined : sizes(value) && "a number, a pair or 'global'"
  return { name, kernel, stride: sizes, padding: sizes, countPadding: boolean, ceilMode: boolean }
}

/** @throws InvalidArgumentError for an option that there is not, that is missing, or of another kind */
export function checkLayerOptions<T extends object>(call: keyof typeof LAYERS, options: T): T {
  const [required, checks] = LAYERS[call]
  checkOptions(call, options, checks as unknown as OptionChecks<T>)
  const missing = required.find((option) => options[option as keyof T] === undefined)
  if (missing !== undefined) throw new InvalidArgumentError(`${call}: the option ${missing} is missing`)
  return options
}
