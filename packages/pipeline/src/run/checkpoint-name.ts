/** How the files of a checkpoint are called. */
import type { Program } from '../program/program.ts'
import type { Value, ValueId } from '../program/value.ts'

/** A ciphertext of a value. */
export interface CheckpointedCiphertext {
  /** The value that it is a part of. */
  readonly value: Value
  /** Which of the value's ciphertexts. */
  readonly index: number
}

/** Of a ciphertext of a value. */
export const checkpointName = ({ values }: Pick<Program, 'values'>, id: ValueId, index: number): string =>
  `${[...values.keys()].indexOf(id)}-${index}.ct`

/**
 * What a checkpoint's file holds; undefined for a name that is no ciphertext's.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { createTensor, Model } from '@he-ml/model'
 * import { linear } from '@he-ml/nn-layers'
 * import { checkpointedCiphertext, compileAndBind } from '@he-ml/pipeline'
 *
 * const weights = createTensor([2, 2], Float64Array.of(1, -1, 0.5, 2))
 * const model = new Model({
 *   name: 'tiny',
 *   input: { name: 'x', shape: [2] },
 *   nodes: [{ layer: linear({ name: 'fc', weights }), inputs: ['x'] }],
 * })
 * const { program } = await compileAndBind(model)
 * const [first] = program.values.values()
 * assert.deepEqual(checkpointedCiphertext(program, '0-0.ct'), { value: first, index: 0 })
 * assert.equal(checkpointedCiphertext(program, 'index.json'), undefined)
 * ```
 */
export function checkpointedCiphertext(
  { values }: Pick<Program, 'values'>,
  name: string,
): CheckpointedCiphertext | undefined {
  const [, place, index] = /^(\d+)-(\d+)\.ct$/.exec(name) ?? []
  const value = place === undefined ? undefined : [...values.values()][Number(place)]
  return value && Number(index) < value.part.count ? { value, index: Number(index) } : undefined
}
