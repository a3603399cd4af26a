import { InvalidArgumentError } from '@he-ml/ckks-core'

/** Values of many neurons, in single or double precision; every result is rounded to the array's precision. */
export type Reals = Float32Array | Float64Array

/** New zeros of the same length (or another) and precision. */
export function zerosLike(values: Reals, length = values.length): Reals {
  return values instanceof Float32Array ? new Float32Array(length) : new Float64Array(length)
}

/** @throws InvalidArgumentError unless every array has the first one's length and precision */
export function requireAlike(operation: string, arrays: Readonly<Record<string, Reals | undefined>>): void {
  const [[firstName, first] = [], ...others] = Object.entries(arrays).filter(([, values]) => values !== undefined)
  if (!first) return
  const single = first instanceof Float32Array
  for (const [name, values] of others)
    if (values!.length !== first.length || values instanceof Float32Array !== single)
      throw new InvalidArgumentError(
        `${operation}: expected ${name} like ${firstName} (${first.length} values in ${single ? 'float32' : 'float64'}), ` +
          `got ${values!.length} in ${values instanceof Float32Array ? 'float32' : 'float64'}: convert one of them`,
      )
}
