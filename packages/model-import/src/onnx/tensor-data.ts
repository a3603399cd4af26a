/** Tensors of an ONNX file as numbers. Sizes are checked against the bytes that are there before memory is taken. */
import { FormatError, UnsupportedError } from '@he-ml/ckks-core'
import type { TensorProto } from '../generated/onnx-subset_pb.ts'
import { bfloat16, float16 } from '../half-floats.ts'

/** A constant of the graph, row-major, with its batch dimension where it has one. */
export interface Constant {
  readonly dims: readonly number[]
  readonly data: Float64Array
}

interface Encoding {
  readonly name: string
  readonly bytes: number
  readonly get: (view: DataView, at: number) => number
  /** The typed field used when there is no raw data. */
  readonly field: (tensor: TensorProto) => ArrayLike<number>
}

const safeInteger = (value: bigint): number => {
  const number = Number(value)
  if (!Number.isSafeInteger(number)) throw new FormatError(`ONNX: the integer ${value} is beyond 2^53`)
  return number
}

const ENCODINGS: Record<number, Encoding> = {
  1: { name: 'float32', bytes: 4, get: (v, at) => v.getFloat32(at, true), field: (t) => t.floatData },
  6: { name: 'int32', bytes: 4, get: (v, at) => v.getInt32(at, true), field: (t) => t.int32Data },
  7: {
    name: 'int64',
    bytes: 8,
    get: (v, at) => safeInteger(v.getBigInt64(at, true)),
    field: (t) => t.int64Data.map(safeInteger),
  },
  9: { name: 'bool', bytes: 1, get: (v, at) => v.getUint8(at), field: (t) => t.int32Data },
  10: {
    name: 'float16',
    bytes: 2,
    get: (v, at) => float16(v.getUint16(at, true)),
    field: (t) => t.int32Data.map((bits) => float16(bits & 0xffff)),
  },
  11: { name: 'float64', bytes: 8, get: (v, at) => v.getFloat64(at, true), field: (t) => t.doubleData },
  16: {
    name: 'bfloat16',
    bytes: 2,
    get: (v, at) => bfloat16(v.getUint16(at, true)),
    field: (t) => t.int32Data.map((bits) => bfloat16(bits & 0xffff)),
  },
}

/** @throws FormatError when dimensions and data do not fit; UnsupportedError for other element types or external data */
export function readTensor(tensor: TensorProto, where: string): Constant {
  const encoding = ENCODINGS[tensor.dataType]
  if (!encoding)
    throw new UnsupportedError(
      `tensor ${where} has element type ${tensor.dataType}: expected float32, float64, float16, bfloat16, int32, int64 or bool`,
    )
  if (tensor.dataLocation !== 0)
    throw new UnsupportedError(`tensor ${where} lies in another file: save the model with its weights inside`)
  const dims = tensor.dims.map((d) => {
    if (d < 0n) throw new FormatError(`tensor ${where} has a negative dimension ${d}`)
    return safeInteger(d)
  })
  if (dims.length > 8) throw new FormatError(`tensor ${where} has ${dims.length} dimensions, expected at most 8`)
  const size = dims.reduce((product, d) => product * d, 1)
  const raw = tensor.rawData
  if (raw.length === 0) {
    const values = encoding.field(tensor)
    if (values.length !== size) throw sizeError(where, dims, `${size} values, got ${values.length}`)
    return { dims, data: Float64Array.from(values) }
  }
  if (raw.length !== size * encoding.bytes)
    throw sizeError(where, dims, `${size * encoding.bytes} bytes of ${encoding.name}, got ${raw.length}`)
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength)
  const data = new Float64Array(size)
  for (let i = 0; i < size; i++) data[i] = encoding.get(view, i * encoding.bytes)
  return { dims, data }
}

const sizeError = (where: string, dims: readonly number[], rest: string) =>
  new FormatError(`tensor ${where} of shape [${dims}] needs ${rest}`)
