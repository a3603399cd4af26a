/** Element types of safetensors: how wide each is, and the values of those that are numbers here. */
import { FormatError, UnsupportedError } from '@he-ml/ckks-core'
import { bfloat16, float16 } from '../half-floats.ts'

type Get = (view: DataView, at: number) => number

const READ: Readonly<Record<string, readonly [bits: number, get: Get]>> = {
  F64: [64, (view, at) => view.getFloat64(at, true)],
  F32: [32, (view, at) => view.getFloat32(at, true)],
  F16: [16, (view, at) => float16(view.getUint16(at, true))],
  BF16: [16, (view, at) => bfloat16(view.getUint16(at, true))],
  I64: [64, (view, at) => Number(view.getBigInt64(at, true))],
  U64: [64, (view, at) => Number(view.getBigUint64(at, true))],
  I32: [32, (view, at) => view.getInt32(at, true)],
  U32: [32, (view, at) => view.getUint32(at, true)],
  I16: [16, (view, at) => view.getInt16(at, true)],
  U16: [16, (view, at) => view.getUint16(at, true)],
  I8: [8, (view, at) => view.getInt8(at)],
  U8: [8, (view, at) => view.getUint8(at)],
  BOOL: [8, (view, at) => view.getUint8(at)],
}

/** The other types that the format has had up to 2026 (its list is the enumeration Dtype of the reference implementation). */
const OTHERS: Readonly<Record<string, number>> = {
  C64: 64,
  F8_E4M3: 8,
  F8_E5M2: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  F6_E2M3: 6,
  F6_E3M2: 6,
  F4: 4,
}

const own = <T>(table: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined

/** Bits of one element; undefined for a type that the format did not have when this was written. */
export const bitsOf = (dtype: string): number | undefined => own(READ, dtype)?.[0] ?? own(OTHERS, dtype)

/**
 * @param bytes exactly the tensor's
 * @throws UnsupportedError for types that are not read, integers beyond 2^53; FormatError for a BOOL that is neither 0 nor 1
 */
export function readElements(bytes: Uint8Array, dtype: string, where: string): Float32Array | Float64Array {
  const type = own(READ, dtype)
  if (!type)
    throw new UnsupportedError(
      own(OTHERS, dtype)
        ? `${where} holds ${dtype}, which is not read: write it as F32`
        : `${where} holds "${dtype}", which is no type of the format as it is known here: write it as F32`,
    )
  const [bits, get] = type
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const isWide = dtype === 'I64' || dtype === 'U64'
  const count = (bytes.length * 8) / bits
  const data = dtype === 'F32' ? new Float32Array(count) : new Float64Array(count)
  for (let i = 0; i < data.length; i++) {
    const value = get(view, (i * bits) / 8)
    if (isWide && !Number.isSafeInteger(value))
      throw new UnsupportedError(`${where} (${dtype}): element ${i} is an integer beyond 2^53, which is not read`)
    if (dtype === 'BOOL' && value > 1)
      throw new FormatError(`${where} (BOOL): expected 0 or 1, element ${i} is ${value}`)
    data[i] = value
  }
  return data
}
