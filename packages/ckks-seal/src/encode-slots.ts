import { type AnyParameters, type ComplexVector, InvalidArgumentError } from '@he-ml/ckks-core'
import type { SealContext, SealPlaintext } from './backend/backend.ts'
import type { ExactPlaintexts } from './exact-plaintexts.ts'

/** A vector of period n written N/2n times. */
function repeated(values: Float64Array, slots: number, factor = 1): Float64Array {
  return Float64Array.from({ length: slots }, (_, i) => values[i % values.length]! * factor)
}

/**
 * Encodes one period at a level and scale.
 * @throws InvalidArgumentError when a value is too large for the modulus of the level
 */
export function encodeSlots(
  context: SealContext,
  exact: ExactPlaintexts,
  parameters: AnyParameters,
  { re, im }: ComplexVector,
  at: { readonly level: number; readonly scale: number },
): SealPlaintext {
  const { level, scale } = at
  const room = parameters.logQAt(level) - 1
  for (let i = 0; i < re.length; i++) {
    const size = Math.log2(Math.abs(re[i]!) + Math.abs(im?.[i] ?? 0)) + Math.log2(scale)
    if (size >= room)
      throw new InvalidArgumentError(
        `encode: slot ${i} times the scale has ${size.toFixed(1)} bits, level ${level} holds ${room.toFixed(1)}: use a smaller scale or a higher level`,
      )
  }
  const { maxSlots } = parameters
  const real = context.encode(repeated(re, maxSlots), scale, level)
  if (!im?.some((x) => x !== 0)) return real
  const imaginary = context.encode(repeated(im, maxSlots, Math.SQRT1_2), scale, level)
  try {
    const both = exact.combine(context.savePlaintext(real), context.savePlaintext(imaginary), level)
    context.setScale(both, scale)
    return both
  } finally {
    real.delete()
    imaginary.delete()
  }
}

/** The reverse: one period of both halves of a plaintext at `level` and `scale`. */
export function decodeSlots(
  context: SealContext,
  exact: ExactPlaintexts,
  plain: SealPlaintext,
  at: { readonly level: number; readonly scale: number; readonly slots: number },
): { re: Float64Array; im: Float64Array } {
  context.setScale(plain, at.scale)
  const re = context.decode(plain).slice(0, at.slots)
  // u * z = i sqrt(2) z, whose real part is -sqrt(2) Im z
  const turned = exact.timesU(context.savePlaintext(plain), at.level)
  try {
    context.setScale(turned, at.scale)
    const im = context
      .decode(turned)
      .slice(0, at.slots)
      .map((x) => -x * Math.SQRT1_2)
    return { re, im }
  } finally {
    turned.delete()
  }
}
