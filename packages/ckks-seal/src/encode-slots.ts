import { type AnyParameters, type ComplexVector, InvalidArgumentError } from '@he-ml/ckks-core'
import type { SealContext, SealPlaintext } from './backend/backend.ts'
import { filled, scope } from './backend/scope.ts'
import type { ExactPlaintexts } from './exact-plaintexts.ts'

/** A vector of period n written N/2n times. */
function repeated(values: Float64Array, slots: number, factor = 1): Float64Array {
  return Float64Array.from({ length: slots }, (_, i) => values[i % values.length]! * factor)
}

/**
 * Bits that a value times its scale may have at a level: half the modulus, and what SEAL takes. It encodes at the top level, where
 * ceil(log2 x) + 1 must be below the bits of Q: with log2 Q just below an integer that is almost two bits of headroom. What
 * it would refuse must not reach it, for its exceptions leak stack until the module dies.
 */
export function roomBits(parameters: AnyParameters, level: number): number {
  const product = parameters.qLimbs.reduce((all, prime) => all * BigInt(prime), 1n)
  const bits = product.toString(2).length
  // the coefficients are computed in double precision: one may come out a little above the largest slot
  return Math.min(parameters.logQAt(level) - 1, bits - 2) - 2 ** -30
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
  const room = roomBits(parameters, level)
  if (!(Math.log2(scale) < room))
    throw new InvalidArgumentError(
      `encode: the scale has ${Math.log2(scale).toFixed(1)} bits, level ${level} holds ${room.toFixed(1)}: use a smaller scale or a higher level`,
    )
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
  return scope((own) => {
    own(real)
    const imaginary = own(context.encode(repeated(im, maxSlots, Math.SQRT1_2), scale, level))
    const both = exact.combine(context.savePlaintext(real), context.savePlaintext(imaginary), level)
    return filled(both, () => context.setScale(both, scale))
  })
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
