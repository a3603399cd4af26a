/**
 * NPY, the file of one NumPy array: a magic string, a version, the length of a header, the header as a Python dictionary literal with
 * the element type, the order and the shape, then the values (NumPy enhancement proposal 1, and `numpy.lib.format`).
 */
import { DatasetFormatError, DatasetUnsupportedError } from './errors.ts'
import { decompress, type ReadOptions, readSource, type Source } from './source.ts'

/** Element types of NumPy that are read. */
export type NumpyType =
  | 'uint8'
  | 'int8'
  | 'uint16'
  | 'int16'
  | 'uint32'
  | 'int32'
  | 'uint64'
  | 'int64'
  | 'float32'
  | 'float64'

/** An array of a NumPy file. */
export interface NumpyArray {
  /** Type of the elements in the file. */
  readonly type: NumpyType
  /** Empty for a single number. */
  readonly shape: readonly number[]
  /** Row-major; bytes as they are, everything else in double precision. */
  readonly data: Uint8Array | Float64Array
}

type Read = (view: DataView, at: number, little: boolean) => number

const ELEMENTS: Readonly<Record<string, { readonly type: NumpyType; readonly bytes: number; readonly read: Read }>> = {
  u1: { type: 'uint8', bytes: 1, read: (v, at) => v.getUint8(at) },
  i1: { type: 'int8', bytes: 1, read: (v, at) => v.getInt8(at) },
  u2: { type: 'uint16', bytes: 2, read: (v, at, little) => v.getUint16(at, little) },
  i2: { type: 'int16', bytes: 2, read: (v, at, little) => v.getInt16(at, little) },
  u4: { type: 'uint32', bytes: 4, read: (v, at, little) => v.getUint32(at, little) },
  i4: { type: 'int32', bytes: 4, read: (v, at, little) => v.getInt32(at, little) },
  u8: { type: 'uint64', bytes: 8, read: (v, at, little) => exact(v.getBigUint64(at, little)) },
  i8: { type: 'int64', bytes: 8, read: (v, at, little) => exact(v.getBigInt64(at, little)) },
  f4: { type: 'float32', bytes: 4, read: (v, at, little) => v.getFloat32(at, little) },
  f8: { type: 'float64', bytes: 8, read: (v, at, little) => v.getFloat64(at, little) },
}

function exact(value: bigint): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number))
    throw new DatasetUnsupportedError(`NPY: ${value} is beyond the integers of double precision`)
  return number
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]
/** Most dimensions accepted. */
const MAX_DIMENSIONS = 8

/**
 * Parses an NPY file, gzip or not.
 * @throws DatasetFormatError for anything that is not exactly one array; DatasetUnsupportedError for types other than numbers of 1
 *   to 8 bytes, for column-major arrays of two dimensions and more, for more dimensions than 8, or more bytes than the limit
 * @example
 * ```ts
 * import { parseNumpy } from '@he-ml/datasets'
 * const header = "{'descr': '|u1', 'fortran_order': False, 'shape': (2,)}" // what numpy.save writes; files: readNumpy
 * const text = `${String.fromCharCode(0x93)}NUMPY${String.fromCharCode(1, 0, header.length, 0)}${header}`
 * parseNumpy(Uint8Array.from([...text].map((c) => c.charCodeAt(0)).concat(7, 9))).data // Uint8Array [7, 9]
 * ```
 */
export function parseNumpy(input: Uint8Array, options: ReadOptions = {}): NumpyArray {
  const bytes = decompress(input, options.maxBytes)
  if (bytes.length < 10 || MAGIC.some((byte, i) => bytes[i] !== byte))
    throw new DatasetFormatError('NPY: expected the bytes 93 4e 55 4d 50 59 at the start')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const version = bytes[6]!
  if (version < 1 || version > 3) throw new DatasetUnsupportedError(`NPY: expected version 1 to 3, got ${version}`)
  const start = version === 1 ? 10 : 12
  if (bytes.length < start) throw new DatasetFormatError(`NPY: expected a header, got ${bytes.length} bytes`)
  const end = start + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true))
  if (bytes.length < end)
    throw new DatasetFormatError(`NPY: the header ends at byte ${end}, the file at ${bytes.length}`)
  const { descr, shape } = headerOf(new TextDecoder().decode(bytes.subarray(start, end)))
  const code = descr.slice(1)
  const element = Object.hasOwn(ELEMENTS, code) ? ELEMENTS[code] : undefined
  if (!element || !'<>|'.includes(descr[0]!))
    throw new DatasetUnsupportedError(
      `NPY: elements of type "${descr}" are not read: save numbers, array.astype("float32") or array.astype("uint8")`,
    )
  const size = shape.reduce((product, d) => product * d, 1)
  if (end + size * element.bytes !== bytes.length)
    throw new DatasetFormatError(
      `NPY: shape (${shape}) of ${element.type} needs ${size * element.bytes} bytes after the header, got ${bytes.length - end}`,
    )
  if (element.type === 'uint8') return { type: element.type, shape, data: bytes.slice(end) }
  const little = descr[0] !== '>'
  const data = Float64Array.from({ length: size }, (_, i) => element.read(view, end + i * element.bytes, little))
  return { type: element.type, shape, data }
}

/** What the dictionary says. */
function headerOf(text: string): { readonly descr: string; readonly shape: readonly number[] } {
  const field = (name: string, form: RegExp): string => {
    const found = new RegExp(`['"]${name}['"]\\s*:\\s*${form.source}`).exec(text)
    if (found) return found[1]!
    if (text.includes(name) && name === 'descr')
      throw new DatasetUnsupportedError('NPY: elements of several fields are not read: save one array of numbers')
    throw new DatasetFormatError(`NPY: the header has no "${name}": ${JSON.stringify(text.slice(0, 80))}`)
  }
  const descr = field('descr', /['"]([^'"]{1,16})['"]/)
  const isColumnMajor = field('fortran_order', /(True|False)/) === 'True'
  // Python 2 wrote long integers with an L
  const list = field('shape', /\(\s*((?:\d+L?\s*,\s*)*(?:\d+L?)?)\s*\)/)
  const shape = (list.match(/\d+/g) ?? []).map(Number)
  if (shape.length > MAX_DIMENSIONS || shape.some((d) => !Number.isSafeInteger(d)))
    throw new DatasetUnsupportedError(`NPY: expected at most ${MAX_DIMENSIONS} dimensions, got (${list})`)
  if (isColumnMajor && shape.length > 1)
    throw new DatasetUnsupportedError('NPY: the array is column-major: save numpy.ascontiguousarray(array)')
  return { descr, shape }
}

/** Reads an NPY file. @throws as {@link parseNumpy}; DatasetFileError when a path cannot be read. Messages name the path. */
export const readNumpy = (source: Source, options: ReadOptions = {}): Promise<NumpyArray> =>
  readSource(source, options, parseNumpy)
