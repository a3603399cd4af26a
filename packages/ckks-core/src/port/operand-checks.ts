/** What two operands must have in common, and what their result then has. Pure functions of handles and parameters. */
import { LevelError, ScaleError } from '../errors/errors.ts'
import { assertEphemeralSecure } from '../parameters/ephemeral.ts'
import type { AnyParameters } from '../parameters/parameters.ts'
import type { CiphertextMeta } from './base-handle.ts'

/** Scales closer than this (relatively) are the same. */
export const SCALE_TOLERANCE = 2 ** -30

/** Whether two scales agree within SCALE_TOLERANCE. */
export const sameScale = (a: number, b: number): boolean => Math.abs(a / b - 1) <= SCALE_TOLERANCE

/** Level, scale, period and degree of a handle. */
export function metaOf(a: CiphertextMeta): CiphertextMeta {
  return { level: a.level, scale: a.scale, slots: a.slots, degree: a.degree }
}

function requireSameLevel(x: CiphertextMeta, y: CiphertextMeta, operation: string): void {
  if (x.level !== y.level)
    throw new LevelError(
      `${operation}: operands are at levels ${x.level} and ${y.level}: dropLevel or toLevel the higher one`,
    )
}

/** @throws LevelError, ScaleError */
export function requireSameLevelAndScale(x: CiphertextMeta, y: CiphertextMeta, operation: string): void {
  requireSameLevel(x, y, operation)
  if (!sameScale(x.scale, y.scale))
    throw new ScaleError(
      `${operation}: scales differ: 2^${Math.log2(x.scale).toFixed(6)} and 2^${Math.log2(y.scale).toFixed(6)}: rescale, or use toLevel`,
    )
}

/** The result of a sum or difference. @throws LevelError, ScaleError */
export function additiveMeta(x: CiphertextMeta, y: CiphertextMeta, operation: string): CiphertextMeta {
  requireSameLevelAndScale(x, y, operation)
  return {
    level: x.level,
    scale: x.scale,
    slots: Math.max(x.slots, y.slots),
    degree: x.degree === 2 || y.degree === 2 ? 2 : 1,
  }
}

/** The result of a product of ciphertexts. @throws LevelError, ScaleError */
export function productMeta(
  parameters: AnyParameters,
  x: CiphertextMeta,
  y: CiphertextMeta,
  operation: string,
): CiphertextMeta {
  requireSameLevel(x, y, operation)
  const scale = fittingScale(parameters, x.scale * y.scale, x.level, operation)
  return { level: x.level, scale, slots: Math.max(x.slots, y.slots), degree: 2 }
}

/** A level lower, by its primes. @throws LevelError at level 0 */
export function rescaledMeta(parameters: AnyParameters, x: CiphertextMeta, operation: string): CiphertextMeta {
  if (x.level < 1)
    throw new LevelError(
      `${operation}: expected level >= 1, got 0: insert a refresh before it or raise the number of levels`,
    )
  return { ...metaOf(x), level: x.level - 1, scale: x.scale / parameters.groupProduct(x.level) }
}

/** The scale, checked to leave room below the modulus at `level`. @throws ScaleError */
export function fittingScale(parameters: AnyParameters, scale: number, level: number, operation: string): number {
  const room = parameters.logQAt(level)
  if (!(Math.log2(scale) < room - 1))
    throw new ScaleError(
      `${operation}: scale 2^${Math.log2(scale).toFixed(1)} does not fit the modulus of ${room.toFixed(1)} bits at level ${level}: rescale earlier or start at a higher level`,
    )
  return scale
}

/**
 * From level 0 to a level above it, under an ephemeral secret.
 * @throws LevelError; SecurityError where that secret would not be 128-bit secure
 */
export function assertRaisable(parameters: AnyParameters, x: CiphertextMeta, level: number, operation: string): void {
  parameters.limbsAt(level)
  if (x.level !== 0)
    throw new LevelError(`${operation}: expected a ciphertext at level 0, got level ${x.level}: dropLevel first`)
  if (level < 1) throw new LevelError(`${operation}: cannot raise to level ${level}`)
  assertEphemeralSecure(parameters)
}
