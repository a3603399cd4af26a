import { FormatError } from '@he-ml/ckks-core'
import type { NamedTensor } from '@he-ml/model'
import type { NamedValues } from '../layers/layer.ts'

/** A tensor of a file, whatever its name. */
export type StoredTensor = Pick<NamedTensor, 'shape' | 'data'>

/** Named values under a prefix, ready to be stored; the data are not copied. */
export const storedTensors = (prefix: string, values: readonly NamedValues[]): [string, StoredTensor][] =>
  values.map(({ name, shape, value }) => [prefix + name, { shape, data: value }])

/**
 * Checks that `tensors` hold exactly what is wanted under a prefix: names, shapes, precision, finite values.
 * @returns a function that copies them into place
 * @throws FormatError that names the tensor
 */
export function checkTensors(
  wanted: readonly NamedValues[],
  tensors: ReadonlyMap<string, StoredTensor>,
  prefix = '',
): () => void {
  const names = new Set(wanted.map(({ name }) => prefix + name))
  for (const name of tensors.keys())
    if (name.startsWith(prefix) && !names.has(name)) throw new FormatError(`tensors: "${name}" belongs to no layer`)
  const pairs = wanted.map(({ name, shape, value }) => {
    const stored = tensors.get(prefix + name)
    if (!stored) throw new FormatError(`tensors: expected "${prefix}${name}", got none`)
    if (`${stored.shape}` !== `${shape}` || stored.data instanceof Float32Array !== value instanceof Float32Array)
      throw new FormatError(
        `tensors: expected "${prefix}${name}" as [${shape}] of ${8 * value.BYTES_PER_ELEMENT} bits, ` +
          `got [${stored.shape}] of ${8 * stored.data.BYTES_PER_ELEMENT}`,
      )
    if (!stored.data.every(Number.isFinite)) throw new FormatError(`tensors: "${prefix}${name}" is not finite`)
    return { value, data: stored.data }
  })
  return () => {
    for (const { value, data } of pairs) value.set(data)
  }
}
