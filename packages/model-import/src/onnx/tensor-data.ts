/** Tensors of an ONNX file as numbers. Sizes are checked against the bytes that are there before memory is taken. */
import { FormatError, UnsupportedError } from '@he-ml/ckks-core'
import { bfloat16, float16 } from '@he-ml/model'
import type { TensorProto } from '../generated/onnx-subset_pb.ts'
import type { Constant, ElementType } from './constant.ts'

interface Encoding {
  readonly name: ElementType
  readonly bytes: number
  readonly get: (view: DataView, at: number) => number
  /** The typed field used when there is no raw data; absent: it is outside our schema. */
  readonly field?: (tensor: TensorProto) => ArrayLike<number>
}

const words = (tensor: TensorProto) => tensor.int32Data
const ENCODINGS: Record<number, Encoding> = {
  1: { name: 'float32', bytes: 4, get: (v, at) => v.getFloat32(at, true), field: (t) => t.floatData },
  2: { name: 'uint8', bytes: 1, get: (v, at) => v.getUint8(at), field: words },
  3: { name: 'int8', bytes: 1, get: (v, at) => v.getInt8(at), field: words },
  4: { name: 'uint16', bytes: 2, get: (v, at) => v.getUint16(at, true), field: words },
  5: { name: 'int16', bytes: 2, get: (v, at) => v.getInt16(at, true), field: words },
  6: { name: 'int32', bytes: 4, get: (v, at) => v.getInt32(at, true), field: words },
  7: {
    name: 'int64',
    bytes: 8,
    get: (v, at) => Number(v.getBigInt64(at, true)),
    field: (t) => t.int64Data.map(Number),
  },
  9: { name: 'bool', bytes: 1, get: (v, at) => v.getUint8(at), field: words },
  10: {
    name: 'float16',
    bytes: 2,
    get: (v, at) => float16(v.getUint16(at, true)),
    field: (t) => t.int32Data.map((bits) => float16(bits & 0xffff)),
  },
  11: { name: 'float64', bytes: 8, get: (v, at) => v.getFloat64(at, true), field: (t) => t.doubleData },
  12: { name: 'uint32', bytes: 4, get: (v, at) => v.getUint32(at, true) },
  13: { name: 'uint64', bytes: 8, get: (v, at) => Number(v.getBigUint64(at, true)) },
  16: {
    name: 'bfloat16',
    bytes: 2,
    get: (v, at) => bfloat16(v.getUint16(at, true)),
    field: (t) => t.int32Data.map((bits) => bfloat16(bits & 0xffff)),
  },
}

/** Names of the element types that ONNX has and we do not, for messages. */
const OTHERS: Record<number, string> = { 8: 'string', 14: 'complex64', 15: 'complex128', 21: 'uint4', 22: 'int4' }

/** Our name of an ONNX element type; undefined for those that are not read. */
export const elementType = (code: number): ElementType | undefined => ENCODINGS[code]?.name

/** What an element type that is not read is called in a message. */
export const elementTypeLabel = (code: number): string => elementType(code) ?? OTHERS[code] ?? `number ${code}`

/**
 * Integers beyond 2^53 come rounded: they stand for "to the end" in slices, and arithmetic on them is refused.
 * @throws FormatError when dimensions and data do not fit; UnsupportedError for other element types or external data
 */
export function readTensor(tensor: TensorProto, where: string): Constant {
  const encoding = ENCODINGS[tensor.dataType]
  if (tensor.dataType === 0) throw new FormatError(`tensor ${where} has no element type`)
  if (!encoding)
    throw new UnsupportedError(
      `tensor ${where} has element type ${elementTypeLabel(tensor.dataType)}: expected float, integer or bool numbers of 8 to 64 bits`,
    )
  if (tensor.dataLocation !== 0)
    throw new UnsupportedError(`tensor ${where} lies in another file: save the model with its weights inside`)
  const dims = tensor.dims.map((d) => {
    if (d < 0n || d > BigInt(Number.MAX_SAFE_INTEGER))
      throw new FormatError(`tensor ${where} has a dimension ${d}, which no tensor can have`)
    return Number(d)
  })
  if (dims.length > 8) throw new UnsupportedError(`tensor ${where} has ${dims.length} dimensions: at most 8 are read`)
  const size = dims.reduce((product, d) => product * d, 1)
  return { type: encoding.name, dims, data: readValues(tensor, encoding, { where, dims, size }) }
}

function readValues(
  tensor: TensorProto,
  { name, bytes, get, field }: Encoding,
  { where, dims, size }: { where: string; dims: readonly number[]; size: number },
): Float64Array {
  const raw = tensor.rawData
  if (raw.length === 0) {
    if (!field && size > 0)
      throw new UnsupportedError(`tensor ${where} of ${name} is not stored as raw data: save it again with raw data`)
    const values = field?.(tensor) ?? []
    if (values.length !== size) throw sizeError(where, dims, `${size} values, got ${values.length}`)
    return Float64Array.from(values)
  }
  if (raw.length !== size * bytes) throw sizeError(where, dims, `${size * bytes} bytes of ${name}, got ${raw.length}`)
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength)
  const data = new Float64Array(size)
  for (let i = 0; i < size; i++) data[i] = get(view, i * bytes)
  return data
}

const sizeError = (where: string, dims: readonly number[], rest: string) =>
  new FormatError(`tensor ${where} of shape [${dims}] needs ${rest}`)
