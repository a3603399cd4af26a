/**
 * A value that does not depend on the image: row-major, with its batch dimension where it has one. Numbers are held as float64
 * and rounded to their own type after every operation. Where the file leaves the batch size open, shapes contain it: an element
 * is then data[i] + batch[i] * B.
 */
import { bfloat16, float16, float16Bits } from '@he-ml/model'

export type ElementType =
  | 'float16'
  | 'bfloat16'
  | 'float32'
  | 'float64'
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'bool'

export interface Constant {
  readonly type: ElementType
  readonly dims: readonly number[]
  readonly data: Float64Array
  /** Multiples of the open batch size; absent: none. */
  readonly batch?: Float64Array
}

const INTEGER_BITS: Partial<Record<ElementType, number>> = {
  int8: 8,
  uint8: 8,
  int16: 16,
  uint16: 16,
  int32: 32,
  uint32: 32,
}

export const isFloat = (type: ElementType): boolean => type.includes('float')

const word = new DataView(new ArrayBuffer(4))

/** Nearest value of the type; integers are cut towards zero, and wrap as two's complement does. */
export function roundTo(type: ElementType, value: number): number {
  if (type === 'float64') return value
  if (type === 'float32') return Math.fround(value)
  if (type === 'float16') return float16(float16Bits(value))
  if (type === 'bfloat16') {
    word.setFloat32(0, value)
    const bits = word.getUint32(0)
    return Number.isNaN(value) ? value : bfloat16((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16)
  }
  if (type === 'bool') return value === 0 ? 0 : 1
  const whole = Math.trunc(value) + 0
  const bits = INTEGER_BITS[type]
  if (bits === undefined) return whole
  const span = 2 ** bits
  const wrapped = ((whole % span) + span) % span
  return type.startsWith('u') || wrapped < span / 2 ? wrapped : wrapped - span
}

/** A vector or scalar of int64. */
export const int64 = (dims: readonly number[], data: ArrayLike<number>): Constant => ({
  type: 'int64',
  dims,
  data: Float64Array.from(data),
})
