import { InvalidArgumentError } from '../errors/errors.ts'

/** Complex vector as separate halves; `im` absent means real. Both of the same power-of-two length. */
export interface ComplexVector {
  readonly re: Float64Array
  readonly im?: Float64Array
}

/** What can be encoded: one value per slot. A vector shorter than N/2 repeats with its own length as period. */
export type SlotValues = Float64Array | ComplexVector

/** Values now, or a function that makes them when an engine really needs them (the plan engine never asks). */
export interface LazySlotValues {
  readonly slots: number
  /** Whether every value is zero in the imaginary half; the maker knows. */
  readonly values: () => SlotValues
}

export type SlotSource = SlotValues | LazySlotValues

/** A real or complex constant. */
export type Scalar = number | { readonly re: number; readonly im: number }

export const isLazy = (source: SlotSource): source is LazySlotValues =>
  'values' in source && typeof source.values === 'function'

/** The vector as two halves; `im` is undefined for real vectors. */
export function toComplex(values: SlotValues): ComplexVector {
  return values instanceof Float64Array ? { re: values } : values
}

/** Evaluates a source. */
export function resolveSlots(source: SlotSource): SlotValues {
  return isLazy(source) ? source.values() : source
}

/** Length of the vector, checked to be a power of two that fits the ring. @throws InvalidArgumentError */
export function slotCount(source: SlotSource, maxSlots: number): number {
  const n = isLazy(source) ? source.slots : source instanceof Float64Array ? source.length : source.re.length
  if (n < 1 || n > maxSlots || (n & (n - 1)) !== 0)
    throw new InvalidArgumentError(`a slot vector needs a power-of-two length from 1 to ${maxSlots}, got ${n}`)
  if (!isLazy(source) && !(source instanceof Float64Array) && source.im && source.im.length !== n)
    throw new InvalidArgumentError(`real and imaginary halves differ in length: ${n} and ${source.im.length}`)
  return n
}

/** Real and imaginary part of a constant. @throws InvalidArgumentError unless finite */
export function scalarParts(value: Scalar): { re: number; im: number } {
  const parts = typeof value === 'number' ? { re: value, im: 0 } : value
  if (!Number.isFinite(parts.re) || !Number.isFinite(parts.im))
    throw new InvalidArgumentError('a constant must be finite')
  return parts
}
