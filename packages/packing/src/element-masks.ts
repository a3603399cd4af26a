import type { Plaintext } from '@he-ml/ckks-core'
import type { CircuitEngine } from './create-lowered.ts'
import { layoutPositions } from './layout-positions.ts'
import type { MultiplexedLayout } from './slot-layout.ts'

/** 1 in the slots of elements, 0 elsewhere, for each ciphertext; products rescale to the nominal scale below `level`. */
export function encodeElementMasks(layout: MultiplexedLayout, engine: CircuitEngine, level: number): Plaintext[] {
  const vectors = Array.from({ length: layout.ciphertexts }, () => new Float64Array(layout.period))
  for (const place of layoutPositions(layout)) vectors[Math.floor(place / layout.slots)]![place % layout.slots] = 1
  return vectors.map((values) => encodeMask(values, engine, level))
}

/** A vector of zeros and ones whose products rescale to the nominal scale below `level`. */
export function encodeMask(values: Float64Array, engine: CircuitEngine, level: number): Plaintext {
  const { parameters } = engine
  const scale = (parameters.groupProduct(level) * parameters.scaleAt(level - 1)) / parameters.scaleAt(level)
  return engine.encode(values, { level, scale })
}
