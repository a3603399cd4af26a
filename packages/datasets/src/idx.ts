/**
 * IDX, the format of MNIST: two zero bytes, a type byte, the number of dimensions, the dimensions as 32-bit big-endian
 * integers, the values row-major and big-endian. (Y. LeCun, C. Cortes, C. Burges, "The MNIST database".) Type bytes and byte order
 * compared with torchvision's reader (SN3_PASCALVINCENT_TYPEMAP in datasets/mnist.py: 8, 9, 11, 12, 13, 14).
 */
import { DatasetFormatError, DatasetUnsupportedError } from './errors.ts'
import { decompress, type ReadOptions, readSource, type Source } from './source.ts'

/** Element types of IDX. */
export type IdxType = 'uint8' | 'int8' | 'int16' | 'int32' | 'float32' | 'float64'

/** An array of an IDX file. */
export interface IdxArray {
  /** Type of the elements in the file. */
  readonly type: IdxType
  /** The slowest dimension first. */
  readonly shape: readonly number[]
  /** Row-major. */
  readonly data: Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array
}

interface IdxElement {
  readonly code: number
  readonly bytes: number
  readonly create: (length: number) => IdxArray['data']
  readonly get: (view: DataView, at: number) => number
  readonly set: (view: DataView, at: number, value: number) => void
}

const ELEMENTS: Record<IdxType, IdxElement> = {
  uint8: {
    code: 0x08,
    bytes: 1,
    create: (n) => new Uint8Array(n),
    get: (v, at) => v.getUint8(at),
    set: (v, at, x) => v.setUint8(at, x),
  },
  int8: {
    code: 0x09,
    bytes: 1,
    create: (n) => new Int8Array(n),
    get: (v, at) => v.getInt8(at),
    set: (v, at, x) => v.setInt8(at, x),
  },
  int16: {
    code: 0x0b,
    bytes: 2,
    create: (n) => new Int16Array(n),
    get: (v, at) => v.getInt16(at),
    set: (v, at, x) => v.setInt16(at, x),
  },
  int32: {
    code: 0x0c,
    bytes: 4,
    create: (n) => new Int32Array(n),
    get: (v, at) => v.getInt32(at),
    set: (v, at, x) => v.setInt32(at, x),
  },
  float32: {
    code: 0x0d,
    bytes: 4,
    create: (n) => new Float32Array(n),
    get: (v, at) => v.getFloat32(at),
    set: (v, at, x) => v.setFloat32(at, x),
  },
  float64: {
    code: 0x0e,
    bytes: 8,
    create: (n) => new Float64Array(n),
    get: (v, at) => v.getFloat64(at),
    set: (v, at, x) => v.setFloat64(at, x),
  },
}

/** Most dimensions accepted. */
const MAX_DIMENSIONS = 8

/**
 * Parses an IDX file, gzip or not.
 * @throws DatasetFormatError for anything that is not exactly one IDX array; DatasetUnsupportedError for more dimensions than 8
 *   (or none), or more bytes than the limit
 * @example
 * ```ts
 * import { parseIdx } from '@he-ml/datasets'
 * parseIdx(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 7, 9)).data // Uint8Array [7, 9]
 * ```
 */
export function parseIdx(input: Uint8Array, options: ReadOptions = {}): IdxArray {
  const bytes = decompress(input, options.maxBytes)
  if (bytes.length < 4) throw new DatasetFormatError(`IDX: expected at least 4 bytes, got ${bytes.length}`)
  if (bytes[0] !== 0 || bytes[1] !== 0)
    throw new DatasetFormatError(`IDX: expected two zero bytes at the start, got ${bytes[0]}, ${bytes[1]}`)
  const found = Object.entries(ELEMENTS).find(([, e]) => e.code === bytes[2])
  if (!found) throw new DatasetFormatError(`IDX: unknown element type 0x${bytes[2]!.toString(16)} at byte 2`)
  const [type, element] = found as [IdxType, IdxElement]
  const rank = bytes[3]!
  if (rank < 1 || rank > MAX_DIMENSIONS)
    throw new DatasetUnsupportedError(`IDX: expected 1 to ${MAX_DIMENSIONS} dimensions, got ${rank}`)
  const header = 4 + 4 * rank
  if (bytes.length < header)
    throw new DatasetFormatError(`IDX: ${rank} dimensions need a header of ${header} bytes, got ${bytes.length}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i))
  const size = shape.reduce((product, d) => product * d, 1)
  if (header + size * element.bytes !== bytes.length)
    throw new DatasetFormatError(
      `IDX: shape [${shape}] of ${type} needs ${size * element.bytes} bytes after the header, got ${bytes.length - header}`,
    )
  if (type === 'uint8') return { type, shape, data: bytes.slice(header) }
  const data = element.create(size)
  for (let i = 0; i < size; i++) data[i] = element.get(view, header + i * element.bytes)
  return { type, shape, data }
}

/** Reads an IDX file. @throws as {@link parseIdx}; DatasetFileError when a path cannot be read. Messages name the path. */
export const readIdx = (source: Source, options: ReadOptions = {}): Promise<IdxArray> =>
  readSource(source, options, parseIdx)

/**
 * The bytes of an IDX file.
 * @throws DatasetFormatError when shape and data do not fit
 */
export function encodeIdx({ type, shape, data }: IdxArray): Uint8Array {
  const element = ELEMENTS[type]
  const size = shape.reduce((product, d) => product * d, 1)
  if (shape.length < 1 || shape.length > MAX_DIMENSIONS || data.length !== size)
    throw new DatasetFormatError(`IDX: shape [${shape}] needs ${size} values, got ${data.length}`)
  const header = 4 + 4 * shape.length
  const bytes = new Uint8Array(header + size * element.bytes)
  const view = new DataView(bytes.buffer)
  bytes[2] = element.code
  bytes[3] = shape.length
  shape.forEach((d, i) => {
    view.setUint32(4 + 4 * i, d)
  })
  for (let i = 0; i < size; i++) element.set(view, header + i * element.bytes, data[i]!)
  return bytes
}
