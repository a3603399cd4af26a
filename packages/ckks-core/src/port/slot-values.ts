import { InvalidArgumentError } from '../errors/errors.ts'

/** Complex vector as separate halves; `im` absent means real. Both of the same power-of-two length. */
export interface ComplexVector {
  /** Real parts. */
  readonly re: Float64Array
  /** Imaginary parts; absent: all zero. */
  readonly im?: Float64Array
}

/** What can be encoded: one value per slot. A vector shorter than N/2 repeats with its own length as period. */
export type SlotValues = Float64Array | ComplexVector

/** Values now, or a function that makes them when an engine really needs them (the plan engine never asks). */
export interface LazySlotValues {
  /** The period: how many values there will be, a power of two. */
  readonly slots: number
  /** May give the same array each time: an engine that keeps values copies them. */
  readonly values: () => SlotValues
  /** Root mean square of the values, where the maker knows it; the plan engine's noise estimate uses it (default 1). */
  readonly magnitude?: number
}

/** Values, or how to have them. */
export type SlotSource = SlotValues | LazySlotValues

/** A real or complex constant. */
export type Scalar =
  | number
  | {
      /** Real part. */
      readonly re: number
      /** Imaginary part. */
      readonly im: number
    }

/** Whether values are still to be made. */
export const isLazy = (source: SlotSource): source is LazySlotValues =>
  // a Float64Array has a method of that name
  !(source instanceof Float64Array) && 'values' in source

/** The vector as two halves; `im` is undefined for real vectors. */
export function toComplex(values: SlotValues): ComplexVector {
  return values instanceof Float64Array ? { re: values } : values
}

/** Root mean square of |value| over the slots. */
export function rootMeanSquare({ re, im }: ComplexVector): number {
  let sum = 0
  for (let i = 0; i < re.length; i++) sum += re[i]! ** 2 + (im === undefined ? 0 : im[i]! ** 2)
  return Math.sqrt(sum / re.length)
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

/**
 * Evaluates a source and checks what came out: `slots` values, all finite.
 * @throws InvalidArgumentError naming the operation and the first bad slot
 */
export function checkedSlots(source: SlotSource, slots: number, operation: string): ComplexVector {
  const vector = toComplex(resolveSlots(source))
  for (const [half, values] of [
    ['real', vector.re],
    ['imaginary', vector.im],
  ] as const) {
    if (values === undefined) continue
    if (values.length !== slots)
      throw new InvalidArgumentError(`${operation}: expected ${slots} values in the ${half} half, got ${values.length}`)
    for (let i = 0; i < slots; i++)
      if (!Number.isFinite(values[i]))
        throw new InvalidArgumentError(`${operation}: the ${half} half of slot ${i} is ${values[i]}; expected a number`)
  }
  return vector
}

/** Real and imaginary part of a constant. @throws InvalidArgumentError unless finite */
export function scalarParts(value: Scalar): {
  /** Real part, finite. */
  re: number
  /** Imaginary part, finite; 0 for a number. */
  im: number
} {
  const parts = typeof value === 'number' ? { re: value, im: 0 } : value
  if (!Number.isFinite(parts.re) || !Number.isFinite(parts.im))
    throw new InvalidArgumentError('a constant must be finite')
  return parts
}
