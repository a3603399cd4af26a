/** Shapes and element types of HDF5 datasets (File Format Specification 3.0, IV.A.2.b and d): what is read, what is not. */
import { UnsupportedError } from '@he-ml/ckks-core'
import { float16 } from '@he-ml/model'
import type { Cursor } from './cursor.ts'

/** How one element becomes a value. */
export type ElementType =
  | { readonly kind: 'int' | 'float'; readonly size: number; readonly get: (view: DataView, at: number) => number }
  | TextType
interface TextType {
  /** Texts of a fixed number of bytes; 'texts' lie in the global heap, 16 bytes refer to each. */
  readonly kind: 'text' | 'texts'
  readonly size: number
}

const CLASSES =
  'integers,floats,times,texts,bit fields,opaque bytes,records,references,names,lists,arrays,complex'.split(',')

/** @returns undefined for the shape of nothing (a null dataspace) @throws UnsupportedError above eight dimensions */
export function readShape(message: Cursor): number[] | undefined {
  const version = message.u8()
  if (version !== 1 && version !== 2) message.fail(`unknown version ${version} of a shape`)
  const rank = message.u8()
  message.skip(1)
  if (version === 1) message.skip(5)
  else if (message.u8() === 2) return undefined
  if (rank > 8) throw new UnsupportedError(`${message.where}: ${rank} dimensions, the limit is 8`)
  return Array.from({ length: rank }, () => message.u64())
}

/** @throws FormatError; UnsupportedError naming the type */
export function readElementType(message: Cursor): ElementType {
  const head = message.u8()
  const kind = head & 15
  const bits = message.uint(3)
  const size = message.u32()
  if (size === 0) message.fail('elements of no bytes')
  const refuse = (what: string): never => {
    throw new UnsupportedError(`${message.where}: holds ${what}: write numbers or texts`)
  }
  if (kind === 0) return integers(message, bits, size, refuse)
  if (kind === 1) return floats(message, bits, size, refuse)
  if (kind === 3) return { kind: 'text', size }
  // a list whose elements are characters is a text
  if (kind === 9 && (bits & 15) === 1) return size === 16 ? { kind: 'texts', size } : message.fail('an odd text')
  // named values (h5py's booleans) are integers of their base type
  if (kind === 8) return readElementType(message)
  return refuse(`${CLASSES[kind] ?? `elements of class ${kind}`} of ${size} bytes`)
}

type Refuse = (what: string) => never

function integers(message: Cursor, bits: number, size: number, refuse: Refuse): ElementType {
  const [offset, precision] = [message.u16(), message.u16()]
  if (offset !== 0 || precision !== 8 * size || ![1, 2, 4, 8].includes(size))
    refuse(`integers of ${precision} bits in ${size} bytes`)
  const isLittle = (bits & 1) === 0
  const name = `get${size === 8 ? 'Big' : ''}${bits & 8 ? 'Int' : 'Uint'}${8 * size}` as 'getInt32' | 'getBigInt64'
  return { kind: 'int', size, get: (view, at) => Number(view[name](at, isLittle)) }
}

/** Sign, exponent and fraction of the IEEE types by size, as the datatype message gives them. */
const IEEE: Readonly<Record<number, string>> = {
  2: '0,16,10,5,0,10,15',
  4: '0,32,23,8,0,23,127',
  8: '0,64,52,11,0,52,1023',
}

function floats(message: Cursor, bits: number, size: number, refuse: Refuse): ElementType {
  const fields = [message.u16(), message.u16(), message.u8(), message.u8(), message.u8(), message.u8(), message.u32()]
  const sign = (bits >> 8) & 255
  // bit 6 with bit 0 would be VAX order; bits 4 and 5 say that the fraction's leading 1 is left out
  if (fields.join() !== IEEE[size] || sign !== 8 * size - 1 || (bits & 0x70) !== 0x20)
    refuse(`floating-point numbers of ${size} bytes that are not IEEE 754's`)
  const isLittle = (bits & 1) === 0
  if (size === 2) return { kind: 'float', size, get: (view, at) => float16(view.getUint16(at, isLittle)) }
  const name = size === 4 ? 'getFloat32' : 'getFloat64'
  return { kind: 'float', size, get: (view, at) => view[name](at, isLittle) }
}
