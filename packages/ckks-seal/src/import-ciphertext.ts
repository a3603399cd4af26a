import { type AnyParameters, type CiphertextMeta, FormatError } from '@he-ml/ckks-core'
import type { SealCiphertextInfo } from './backend/backend.ts'

/** Largest serialized ciphertext: degree 2 at the top level, uncompressed. */
export function maxCiphertextBytes(parameters: AnyParameters): number {
  return 3 * parameters.limbsAt(parameters.maxLevel) * parameters.ringDegree * 8 + 1024
}

/** Level, scale and degree of a loaded ciphertext. @throws FormatError naming what is out of range */
export function checkCiphertext(info: SealCiphertextInfo, parameters: AnyParameters, slots: number): CiphertextMeta {
  const level = info.limbs - 1
  if (info.ringDegree !== parameters.ringDegree)
    throw new FormatError(`ciphertext: expected N = ${parameters.ringDegree}, got ${info.ringDegree}`)
  if (!(level >= 0 && level <= parameters.maxLevel))
    throw new FormatError(`ciphertext: expected 1 to ${parameters.maxLevel + 1} primes, got ${info.limbs}`)
  if (info.size !== 2 && info.size !== 3)
    throw new FormatError(`ciphertext: expected 2 or 3 polynomials, got ${info.size}`)
  if (!info.nttForm) throw new FormatError('ciphertext: expected evaluation form')
  if (!(Number.isFinite(info.scale) && info.scale > 1 && Math.log2(info.scale) < parameters.logQAt(level)))
    throw new FormatError(`ciphertext: scale ${info.scale} is not between 1 and the modulus of level ${level}`)
  if (info.transparent) throw new FormatError('ciphertext: c1 is zero, so it is readable without a key; refused')
  if (!(slots >= 1 && slots <= parameters.maxSlots && Number.isInteger(Math.log2(slots))))
    throw new FormatError(`ciphertext: slots must be a power of two up to ${parameters.maxSlots}, got ${slots}`)
  return { level, scale: info.scale, slots, degree: info.size === 3 ? 2 : 1 }
}
