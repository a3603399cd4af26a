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

/** What a checkpoint's file holds; undefined for a name that is no ciphertext's. */
export function checkpointedCiphertext(
  { values }: Pick<Program, 'values'>,
  name: string,
): CheckpointedCiphertext | undefined {
  const [, place, index] = /^(\d+)-(\d+)\.ct$/.exec(name) ?? []
  const value = place === undefined ? undefined : [...values.values()][Number(place)]
  return value && Number(index) < value.part.count ? { value, index: Number(index) } : undefined
}
