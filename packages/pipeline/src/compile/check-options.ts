/** What callers of `compile` may say; they may not write TypeScript, and a misspelt option would silently be its default. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { ActivationOptions } from '../ready/calibrate-activations.ts'
import type { CompileOptions } from './options.ts'

type Check = (value: unknown) => string | undefined
type Checks<T> = { readonly [K in keyof Required<T>]: Check }

/** @throws InvalidArgumentError for a name that is no option's, with the one that was meant; for values of the wrong kind or range */
export function checkOptions(options: CompileOptions): void {
  checkAll('', options, OPTIONS)
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

/** Of an object's own fields, absent ones aside. @param where the path of the object: 'activation.', or nothing */
function checkAll<T extends object>(where: string, given: T, checks: Checks<T>): void {
  const known = new Map<string, Check>(Object.entries(checks))
  for (const [name, value] of Object.entries(given)) {
    const check = known.get(name)
    if (!check)
      throw new InvalidArgumentError(`compile: there is no option ${where}${name}${meant(name, [...known.keys()])}`)
    const wanted = value === undefined ? undefined : check(value)
    if (wanted !== undefined)
      throw new InvalidArgumentError(`compile: the option ${where}${name} must be ${wanted}, got ${text(value)}`)
  }
}

const number =
  (from: number, to = Infinity): Check =>
  (value) =>
    typeof value === 'number' && value >= from && value <= to
      ? undefined
      : `a number ${to === Infinity ? `of at least ${from}` : `from ${from} to ${to}`}`
const finite =
  (from: number): Check =>
  (value) =>
    typeof value === 'number' && value >= from && value < Infinity ? undefined : `a finite number of at least ${from}`
const integer =
  (from: number, to: number): Check =>
  (value) =>
    Number.isInteger(value) && number(from, to)(value) === undefined ? undefined : `an integer from ${from} to ${to}`
const oneOf =
  (...names: readonly string[]): Check =>
  (value) =>
    typeof value === 'string' && names.includes(value) ? undefined : `one of ${names.join(', ')}`
const boolean: Check = (value) => (typeof value === 'boolean' ? undefined : 'true or false')
const callable: Check = (value) => (typeof value === 'function' ? undefined : 'a function')
const object: Check = (value) => (isObject(value) ? undefined : 'an object')
const string: Check = (value) => (typeof value === 'string' ? undefined : 'a name')

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

const ACTIVATION = {
  margin: finite(1),
  degree: integer(1, 1023),
  error: number(Number.MIN_VALUE, 1),
  perChannel: boolean,
  method: oneOf('remez', 'chebyshev', 'least-squares', 'composite'),
}

/** Fields of an object, checked in their turn. */
const fields =
  <T extends object>(where: string, checks: Checks<T>): Check =>
  (value) => {
    if (!isObject(value)) return 'an object'
    checkAll(where, value as T, checks)
    return undefined
  }

const layers: Check = (value) => {
  if (!isObject(value)) return 'an object with options by the names of layers'
  for (const [name, own] of Object.entries(value)) {
    const wanted = fields(`activation.layers.${name}.`, ACTIVATION)(own)
    if (wanted !== undefined) return `an object with options by the names of layers: "${name}" has ${text(own)}`
  }
  return undefined
}

const OPTIONS: Checks<CompileOptions> = {
  calibration: object,
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
  signal: object,
  onProgress: callable,
}

function text(value: unknown): string {
  const shown = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value))
  return shown.length > 60 ? `${shown.slice(0, 57)}...` : shown
}

/** The nearest of the names, where one is near. */
function meant(given: string, names: readonly string[]): string {
  const [best] = names
    .map((name) => ({ name, away: distance(given.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.away - b.away)
  if (best && best.away <= Math.max(2, best.name.length / 3)) return `: did you mean ${best.name}?`
  return `; there are ${names.join(', ')}`
}

/** Letters to insert, to leave out or to exchange. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]!
}
