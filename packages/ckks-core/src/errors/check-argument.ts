import type { OptionCheck } from './check-options.ts'
import { InvalidArgumentError } from './errors.ts'
import { shownValue } from './shown-value.ts'

/**
 * Judges an argument that stands by its place, before it is a TypeError somewhere below.
 *
 * @param call the function that was called: first in what is said
 * @param name of the argument, as the function's documentation calls it
 * @throws InvalidArgumentError for a value of another kind, with what was wanted and what was given
 * @example
 * ```ts
 * import { checkArgument, optionCheck } from '@he-ml/ckks-core'
 *
 * try {
 *   checkArgument('openServer', 'makeHost', undefined, optionCheck.callable)
 * } catch (error) {
 *   console.log((error as Error).message) // openServer: makeHost must be a function, got undefined
 * }
 * ```
 */
export function checkArgument(call: string, name: string, value: unknown, check: OptionCheck): void {
  const wanted = check(value)
  if (wanted !== undefined)
    throw new InvalidArgumentError(`${call}: ${name} must be ${wanted}, got ${shownValue(value)}`)
}
