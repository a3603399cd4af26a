/**
 * safetensors with F32 and F64: an 8-byte little-endian header length, a JSON header (name -> dtype, shape, data_offsets, and
 * text under __metadata__), then the data. Read strictly: offsets must cover the data without gaps or overlaps.
 */
import { FormatError, UnsupportedError } from '@he-ml/ckks-core'
import type { Reals } from '@he-ml/snn-neurons'
import { z } from 'zod'
import type { Shape } from '../tensor/signal.ts'

/** A tensor of a file. */
export interface StoredTensor {
  readonly shape: Shape
  readonly data: Reals
}

/** Everything in a file. */
export interface StoredTensors {
  readonly tensors: ReadonlyMap<string, StoredTensor>
  readonly metadata: Readonly<Record<string, string>>
}

const MOST_HEADER = 100_000_000
const size = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER)
const entrySchema = z.strictObject({
  dtype: z.string().max(100),
  shape: z.array(size).max(64),
  data_offsets: z.tuple([size, size]),
})
type Entry = Omit<z.infer<typeof entrySchema>, 'dtype'> & { readonly dtype: 'F32' | 'F64' }
const bytesOf = (dtype: Entry['dtype']) => (dtype === 'F32' ? 4 : 8)

/** The bytes of a file, every tensor aligned to its element size. */
export function encodeTensors({ tensors, metadata }: StoredTensors): Uint8Array {
  const header: [string, unknown][] = [['__metadata__', metadata]]
  let offset = 0
  // doubles first, so that every offset is a multiple of the element size
  const ordered = [...tensors].sort(([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT)
  for (const [name, { shape, data }] of ordered) {
    const dtype = data instanceof Float32Array ? 'F32' : 'F64'
    header.push([name, { dtype, shape, data_offsets: [offset, offset + data.byteLength] }])
    offset += data.byteLength
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)))
  const padded = Math.ceil(json.length / 8) * 8
  const bytes = new Uint8Array(8 + padded + offset).fill(0x20, 8, 8 + padded)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, BigInt(padded), true)
  bytes.set(json, 8)
  let at = 8 + padded
  for (const [, { data }] of ordered)
    for (const value of data) {
      if (data instanceof Float32Array) view.setFloat32(at, value, true)
      else view.setFloat64(at, value, true)
      at += data.BYTES_PER_ELEMENT
    }
  return bytes
}

/**
 * @throws FormatError saying which tensor or byte is wrong; UnsupportedError naming a tensor of another type, which no network of
 *   ours has
 */
export function parseTensors(bytes: Uint8Array): StoredTensors {
  if (bytes.length < 8) throw new FormatError(`safetensors: expected at least 8 bytes, got ${bytes.length}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = Number(view.getBigUint64(0, true))
  if (length > MOST_HEADER || 8 + length > bytes.length)
    throw new FormatError(`safetensors: a header of ${length} bytes does not fit a file of ${bytes.length}`)
  const { entries, metadata } = readHeader(bytes.subarray(8, 8 + length))
  entries.sort(([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1])
  const start = 8 + length
  let expected = 0
  for (const [name, { dtype, shape, data_offsets }] of entries) {
    const end = expected + shape.reduce((product, d) => product * d, bytesOf(dtype))
    if (data_offsets[0] !== expected || data_offsets[1] !== end)
      throw new FormatError(
        `safetensors: tensor "${name}" (${dtype} [${shape}]) should lie at ${expected} to ${end}, got ${data_offsets}`,
      )
    expected = end
  }
  if (start + expected !== bytes.length)
    throw new FormatError(`safetensors: expected ${expected} bytes of data, got ${bytes.length - start}`)
  const tensors = entries.map(([name, entry]): [string, StoredTensor] => [
    name,
    { shape: entry.shape, data: readData(view, start, entry) },
  ])
  return { tensors: new Map(tensors), metadata }
}

function readData(view: DataView, start: number, { dtype, data_offsets: [from, to] }: Entry): Reals {
  const count = (to - from) / bytesOf(dtype)
  const data = dtype === 'F32' ? new Float32Array(count) : new Float64Array(count)
  for (let i = 0; i < count; i++) {
    const at = start + from + i * bytesOf(dtype)
    data[i] = dtype === 'F32' ? view.getFloat32(at, true) : view.getFloat64(at, true)
  }
  return data
}

function readHeader(bytes: Uint8Array) {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new FormatError('safetensors: the header is not JSON', { cause })
  }
  const header = z.record(z.string(), z.unknown()).safeParse(json)
  if (!header.success) throw new FormatError('safetensors: the header is not an object')
  const entries: [string, Entry][] = []
  let metadata: Readonly<Record<string, string>> = {}
  for (const [name, value] of Object.entries(header.data)) {
    const isMetadata = name === '__metadata__'
    if (isMetadata) metadata = checked(z.record(z.string(), z.string()), name, value)
    else entries.push([name, checkType(checked(entrySchema, name, value), name)])
  }
  return { entries, metadata }
}

/** @throws UnsupportedError */
function checkType(entry: z.infer<typeof entrySchema>, name: string): Entry {
  if (entry.dtype === 'F32' || entry.dtype === 'F64') return { ...entry, dtype: entry.dtype }
  throw new UnsupportedError(`safetensors: tensor "${name}" holds ${entry.dtype}, expected F32 or F64: convert it`)
}

function checked<T>(schema: z.ZodType<T>, name: string, value: unknown): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new FormatError(`safetensors: header entry "${name}": ${parsed.error.issues[0]!.message}`)
}
