import type { Plaintext } from '@he-ml/ckks-core'
import { type CircuitEngine, layoutPositions, type MultiplexedLayout } from '@he-ml/packing'

/** 1 in the slots of elements, 0 elsewhere, for each ciphertext; products rescale to the nominal scale below `level`. */
export function encodeMasks(layout: MultiplexedLayout, engine: CircuitEngine, level: number): Plaintext[] {
  const vectors = Array.from({ length: layout.ciphertexts }, () => new Float64Array(layout.period))
  for (const place of layoutPositions(layout)) vectors[Math.floor(place / layout.slots)]![place % layout.slots] = 1
  const { parameters } = engine
  const scale = (parameters.groupProduct(level) * parameters.scaleAt(level - 1)) / parameters.scaleAt(level)
  return vectors.map((values) => engine.encode(values, { level, scale }))
}
