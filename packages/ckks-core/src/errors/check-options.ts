/** What callers may say in options; they may not write TypeScript, and a misspelt option would silently be its default. */
import { InvalidArgumentError } from './errors.ts'
import { shownValue } from './shown-value.ts'

/** What a value must be, in words, where it is not; undefined where it is. */
export type OptionCheck = (value: unknown) => string | undefined
/** One for each option. */
export type OptionChecks<T> = { readonly [K in keyof Required<T>]: OptionCheck }

/**
 * Judges an object's own fields, absent ones and those that are undefined aside.
 *
 * @param call the function that was called: first in what is said
 * @param where the path of the object in the options: `activation.`, or nothing
 * @throws InvalidArgumentError for what is no object; for a name that is no option's, with the one that was meant; for values of the wrong kind
 *   or range
 * @example
 * ```ts
 * import { checkOptions, optionCheck } from '@he-ml/ckks-core'
 *
 * try {
 *   checkOptions('fit', { equalise: true }, { equalize: optionCheck.boolean })
 * } catch (error) {
 *   console.log((error as Error).message) // fit: there is no option equalise: did you mean equalize?
 * }
 * ```
 */
export function checkOptions<T extends object>(call: string, given: T, checks: OptionChecks<T>, where = ''): void {
  if (!isObject(given)) throw new InvalidArgumentError(`${call}: options must be an object, got ${shownValue(given)}`)
  const known = new Map<string, OptionCheck>(Object.entries(checks))
  for (const [name, value] of Object.entries(given)) {
    const check = known.get(name)
    if (!check)
      throw new InvalidArgumentError(`${call}: there is no option ${where}${name}${meant(name, [...known.keys()])}`)
    const wanted = value === undefined ? undefined : check(value)
    if (wanted !== undefined)
      throw new InvalidArgumentError(`${call}: the option ${where}${name} must be ${wanted}, got ${shownValue(value)}`)
  }
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const number =
  (from: number, to = Infinity): OptionCheck =>
  (value) =>
    typeof value === 'number' && value >= from && value <= to
      ? undefined
      : `a number ${to === Infinity ? `of at least ${from}` : `from ${from} to ${to}`}`

/** Kinds of values. */
export const optionCheck = Object.freeze({
  /** A number, infinite ones included. */
  number,
  /** A finite number of at least so much. */
  finite:
    (from: number): OptionCheck =>
    (value) =>
      typeof value === 'number' && value >= from && value < Infinity
        ? undefined
        : `a finite number of at least ${from}`,
  /** An integer from one to another. */
  integer:
    (from: number, to = Infinity): OptionCheck =>
    (value) =>
      Number.isInteger(value) && number(from, to)(value) === undefined
        ? undefined
        : `an integer ${to === Infinity ? `of at least ${from}` : `from ${from} to ${to}`}`,
  /** One of some names. */
  oneOf:
    (...names: readonly string[]): OptionCheck =>
    (value) =>
      typeof value === 'string' && names.includes(value) ? undefined : `one of ${names.join(', ')}`,
  /** True or false. */
  boolean: ((value) => (typeof value === 'boolean' ? undefined : 'true or false')) as OptionCheck,
  /** A function. */
  callable: ((value) => (typeof value === 'function' ? undefined : 'a function')) as OptionCheck,
  /** An object that somebody else judges. */
  object: ((value) => (isObject(value) ? undefined : 'an object')) as OptionCheck,
  /** An AbortSignal. */
  signal: ((value) =>
    isObject(value) && 'aborted' in value && 'addEventListener' in value ? undefined : 'an AbortSignal') as OptionCheck,
  /** A text that is not empty. */
  string: ((value) => (typeof value === 'string' && value !== '' ? undefined : 'a name')) as OptionCheck,
  /** A path of the file system; an empty one leads nowhere. */
  path: ((value) => (typeof value === 'string' && value !== '' ? undefined : 'a path')) as OptionCheck,
  /** A Uint8Array, as files are read into; Buffers are some. */
  bytes: ((value) =>
    Object.prototype.toString.call(value) === '[object Uint8Array]'
      ? undefined
      : 'bytes (a Uint8Array)') as OptionCheck,
  /** A list, of anything or of one kind. */
  list:
    (what = 'a list', each: OptionCheck = () => undefined): OptionCheck =>
    (value) =>
      Array.isArray(value) && value.every((item) => each(item) === undefined) ? undefined : what,
  /** Whatever is there: judged where it is used. */
  anything: (() => undefined) as OptionCheck,
  /** Fields of an object, judged in their turn. */
  fields:
    <T extends object>(call: string, where: string, checks: OptionChecks<T>): OptionCheck =>
    (value) => {
      if (!isObject(value)) return 'an object'
      checkOptions(call, value as T, checks, where)
      return undefined
    },
})

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
