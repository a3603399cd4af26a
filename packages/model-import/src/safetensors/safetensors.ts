/**
 * safetensors: an 8-byte little-endian header length, a JSON header (name -> dtype, shape, data_offsets), then the data.
 * Read strictly, as its specification asks: offsets must cover the data exactly, without gaps or overlaps.
 */
import { FormatError, InvalidArgumentError } from '@he-ml/ckks-core'
import { z } from 'zod'
import { bfloat16, float16 } from '../half-floats.ts'

/** Element types read and written. */
export type SafetensorsType = 'F16' | 'BF16' | 'F32' | 'F64' | 'I64'

export interface NamedTensor {
  readonly dtype: SafetensorsType
  readonly shape: readonly number[]
  /** Row-major; I64 beyond 2^53 is refused. */
  readonly data: Float64Array
}

const BYTES: Record<SafetensorsType, number> = { F16: 2, BF16: 2, F32: 4, F64: 8, I64: 8 }
const MAX_HEADER = 100_000_000
const size = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER)
const entrySchema = z.strictObject({
  dtype: z.enum(['F16', 'BF16', 'F32', 'F64', 'I64']),
  shape: z.array(size).max(8),
  data_offsets: z.tuple([size, size]),
})
const headerSchema = z.record(z.string(), z.unknown())
const metadataSchema = z.record(z.string(), z.string())

/**
 * All tensors of a safetensors file by name, in the order of their data.
 * @throws FormatError saying which tensor or byte is wrong
 */
export function parseSafetensors(bytes: Uint8Array): Map<string, NamedTensor> {
  if (bytes.length < 8) throw new FormatError(`safetensors: expected at least 8 bytes, got ${bytes.length}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = Number(view.getBigUint64(0, true))
  if (length > MAX_HEADER || 8 + length > bytes.length)
    throw new FormatError(`safetensors: a header of ${length} bytes does not fit a file of ${bytes.length}`)
  const start = 8 + length
  const entries = readHeader(bytes.subarray(8, start)).sort(
    ([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1],
  )
  let expected = 0
  for (const [name, { dtype, shape, data_offsets }] of entries) {
    const [from, to] = data_offsets
    const wanted = shape.reduce((product, d) => product * d, 1) * BYTES[dtype]
    if (from !== expected || to - from !== wanted)
      throw new FormatError(
        `safetensors: tensor "${name}" (${dtype} [${shape}]) should lie at ${expected} to ${expected + wanted}, got ${from} to ${to}`,
      )
    expected = to
  }
  if (start + expected !== bytes.length)
    throw new FormatError(`safetensors: expected ${expected} bytes of data, got ${bytes.length - start}`)
  return new Map(
    entries.map(([name, { dtype, shape, data_offsets }]) => {
      const count = shape.reduce((product, d) => product * d, 1)
      const data = new Float64Array(count)
      for (let i = 0; i < count; i++) data[i] = readElement(view, start + data_offsets[0] + i * BYTES[dtype], dtype)
      return [name, { dtype, shape, data }]
    }),
  )
}

function readHeader(bytes: Uint8Array): [string, z.infer<typeof entrySchema>][] {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new FormatError('safetensors: the header is not JSON', { cause })
  }
  const header = headerSchema.safeParse(json)
  if (!header.success) throw new FormatError('safetensors: the header is not an object')
  return Object.entries(header.data).flatMap(([name, value]) => {
    const isMetadata = name === '__metadata__'
    const parsed = (isMetadata ? metadataSchema : entrySchema).safeParse(value)
    if (!parsed.success)
      throw new FormatError(
        `safetensors: header entry "${name}": ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}`,
      )
    return isMetadata
      ? []
      : [[name, parsed.data as z.infer<typeof entrySchema>] as [string, z.infer<typeof entrySchema>]]
  })
}

function readElement(view: DataView, at: number, dtype: SafetensorsType): number {
  if (dtype === 'F32') return view.getFloat32(at, true)
  if (dtype === 'F64') return view.getFloat64(at, true)
  if (dtype === 'F16') return float16(view.getUint16(at, true))
  if (dtype === 'BF16') return bfloat16(view.getUint16(at, true))
  const value = Number(view.getBigInt64(at, true))
  if (!Number.isSafeInteger(value)) throw new FormatError(`safetensors: the integer at byte ${at} is beyond 2^53`)
  return value
}

/**
 * The bytes of a safetensors file; F32, F64 and I64 are written.
 * @throws InvalidArgumentError for other types, or data that does not fit its shape
 * @example
 * ```ts
 * import { encodeSafetensors } from '@he-ml/model-import'
 * const bytes = encodeSafetensors(new Map([['w', { dtype: 'F32', shape: [2], data: Float64Array.of(1, 2) }]]))
 * ```
 */
export function encodeSafetensors(tensors: ReadonlyMap<string, NamedTensor>): Uint8Array {
  const header: Record<string, z.infer<typeof entrySchema>> = Object.create(null)
  let offset = 0
  for (const [name, { dtype, shape, data }] of tensors) {
    if (dtype === 'F16' || dtype === 'BF16')
      throw new InvalidArgumentError(`safetensors: "${name}": ${dtype} is read but not written: use F32`)
    if (name === '__metadata__' || shape.reduce((product, d) => product * d, 1) !== data.length)
      throw new InvalidArgumentError(
        `safetensors: "${name}" [${shape}] does not fit ${data.length} values, or is reserved`,
      )
    const end = offset + data.length * BYTES[dtype]
    header[name] = { dtype, shape: [...shape], data_offsets: [offset, end] }
    offset = end
  }
  const json = new TextEncoder().encode(JSON.stringify(header))
  const padded = Math.ceil(json.length / 8) * 8
  const bytes = new Uint8Array(8 + padded + offset).fill(0x20, 8, 8 + padded)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, BigInt(padded), true)
  bytes.set(json, 8)
  let at = 8 + padded
  for (const { dtype, data } of tensors.values())
    for (const value of data) {
      if (dtype === 'F32') view.setFloat32(at, value, true)
      else if (dtype === 'F64') view.setFloat64(at, value, true)
      else view.setBigInt64(at, BigInt(value), true)
      at += BYTES[dtype]
    }
  return bytes
}
