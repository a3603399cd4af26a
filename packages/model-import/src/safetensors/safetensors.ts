/**
 * safetensors: an 8-byte little-endian header length, a JSON header (name -> dtype, shape, data_offsets), then the data.
 * Read strictly, as its specification asks: offsets must cover the data exactly, without gaps or overlaps. A tensor is unpacked
 * when it is asked for, so that one of a type that is not read costs nobody the others.
 */
import { FormatError, InvalidArgumentError } from '@he-ml/ckks-core'
import { z } from 'zod'
import { bitsOf, readElements } from './elements.ts'

export interface NamedTensor {
  /** As the file names it: 'F32', 'I64', 'BOOL'. */
  readonly dtype: string
  readonly shape: readonly number[]
  /**
   * Row-major; BOOL as 0 and 1. Of a file, it is unpacked at the first use.
   * @throws UnsupportedError naming the tensor, for element types that are not read and integers beyond 2^53
   */
  readonly data: Float64Array
}

const BYTES: Readonly<Record<string, number>> = { F32: 4, F64: 8, I64: 8 }
const MAX_HEADER = 100_000_000
const size = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER)
const entrySchema = z.strictObject({
  dtype: z.string().max(100),
  shape: z.array(size).max(64),
  data_offsets: z.tuple([size, size]),
})
type Entry = z.infer<typeof entrySchema>
const headerSchema = z.record(z.string(), z.unknown())
const metadataSchema = z.record(z.string(), z.string())
const product = (shape: readonly number[]): number => shape.reduce((all, d) => all * d, 1)

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
  for (const [name, entry] of entries) expected = checkPlace(name, entry, expected)
  if (start + expected !== bytes.length)
    throw new FormatError(`safetensors: expected ${expected} bytes of data, got ${bytes.length - start}`)
  return new Map(entries.map(([name, entry]) => [name, tensorOf(bytes, start, name, entry)]))
}

/** @returns where the tensor ends, which is where the next one begins @throws FormatError */
function checkPlace(name: string, { dtype, shape, data_offsets: [from, to] }: Entry, expected: number): number {
  const bits = bitsOf(dtype)
  // of a type that is not known, only the beginning is
  const end = bits === undefined ? Math.max(to, expected) : expected + (product(shape) * bits) / 8
  if (from !== expected || to !== end)
    throw new FormatError(
      `safetensors: tensor "${name}" (${dtype} [${shape}]) should lie at ${expected} to ${end}, got ${from} to ${to}`,
    )
  return end
}

function tensorOf(bytes: Uint8Array, start: number, name: string, { dtype, shape, data_offsets }: Entry): NamedTensor {
  const [from, to] = data_offsets
  let data: Float64Array | undefined
  return {
    dtype,
    shape,
    get data() {
      data ??= readElements(bytes.subarray(start + from, start + to), dtype, `safetensors: tensor "${name}"`)
      return data
    },
  }
}

function readHeader(bytes: Uint8Array): [string, Entry][] {
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
    return isMetadata ? [] : [[name, parsed.data as Entry] as [string, Entry]]
  })
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
  const header: Record<string, Entry> = Object.create(null)
  let offset = 0
  for (const [name, { dtype, shape, data }] of tensors) {
    const bytesEach = BYTES[dtype]
    if (bytesEach === undefined)
      throw new InvalidArgumentError(`safetensors: "${name}": ${dtype} is not written: use F32, F64 or I64`)
    if (name === '__metadata__' || product(shape) !== data.length)
      throw new InvalidArgumentError(
        `safetensors: "${name}" [${shape}] does not fit ${data.length} values, or is reserved`,
      )
    const end = offset + data.length * bytesEach
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
      at += BYTES[dtype]!
    }
  return bytes
}
