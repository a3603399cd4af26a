/**
 * The one rule by which what a task reads is brought to where the task runs: the task's level, and the nominal scale there.
 */
import { type Evaluator, type Level, sameScale, toLevel } from '@he-ml/ckks-core'
import { PackedTensor } from '@he-ml/packing'

/** A tensor at a task's level. */
export interface Aligned {
  readonly tensor: PackedTensor
  /** Whether it was made for the purpose and must be disposed of. */
  readonly temporary: boolean
}

/**
 * The tensor itself where it stands right already.
 * @throws LevelError when it is lower; ScaleError when its scale is another and no level is left to correct it
 */
export function align(engine: Evaluator, tensor: PackedTensor, level: Level): Aligned {
  const scale = engine.parameters.scaleAt(level)
  if (tensor.level === level && sameScale(tensor.scale, scale)) return { tensor, temporary: false }
  const moved = tensor.ciphertexts.map((ciphertext) => toLevel(engine, ciphertext, level, scale))
  return { tensor: new PackedTensor(tensor.layout, moved), temporary: true }
}
