/**
 * safetensors: an 8-byte little-endian header length, a JSON header (name -> dtype, shape, data_offsets, and text under
 * __metadata__), then the data. Read strictly, as its specification asks: offsets must cover the data exactly, without gaps or
 * overlaps. A tensor is unpacked when it is asked for, so that one of a type that is not read costs nobody the others.
 */
import { FormatError, InvalidArgumentError, UnsupportedError } from '@he-ml/ckks-core'
import { z } from 'zod'
import { sizeOf } from '../tensor.ts'
import { bitsOf, readElements } from './elements.ts'

/** A tensor of a file. */
export interface NamedTensor {
  /** As the file names it: 'F32', 'I64', 'BOOL'. */
  readonly dtype: string
  /** Sizes, the slowest dimension first; empty for a single number. */
  readonly shape: readonly number[]
  /**
   * Row-major: floats in their own precision, F32 as a Float32Array; everything else as doubles, BOOL as 0 and 1. Of a file, it
   * is unpacked at the first use.
   * @throws UnsupportedError naming the tensor, for element types that are not read and integers beyond 2^53
   */
  readonly data: Float32Array | Float64Array
}

/** Everything in a file. */
export interface SafetensorsFile {
  /** In the order of their data. */
  readonly tensors: ReadonlyMap<string, NamedTensor>
  /** Text under `__metadata__`; absent when there is none. */
  readonly metadata?: Readonly<Record<string, string>>
}

const BYTES: Readonly<Record<string, number>> = { F32: 4, F64: 8, I64: 8 }
const METADATA = '__metadata__'
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

/**
 * Reads a file's header and checks it whole; data are unpacked later.
 *
 * @param options.types element types that are expected; default all
 * @throws FormatError saying which tensor or byte is wrong; UnsupportedError naming a tensor of a type that is not expected
 */
export function parseSafetensors(
  bytes: Uint8Array,
  options: { readonly types?: readonly string[] } = {},
): SafetensorsFile {
  if (bytes.length < 8) throw new FormatError(`safetensors: expected at least 8 bytes, got ${bytes.length}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = Number(view.getBigUint64(0, true))
  if (length > MAX_HEADER || 8 + length > bytes.length)
    throw new FormatError(`safetensors: a header of ${length} bytes does not fit a file of ${bytes.length}`)
  const start = 8 + length
  const { entries, metadata } = readHeader(bytes.subarray(8, start))
  for (const [name, { dtype }] of entries)
    if (options.types && !options.types.includes(dtype))
      throw new UnsupportedError(
        `safetensors: tensor "${name}" holds ${dtype}, expected ${options.types.join(' or ')}: convert it`,
      )
  entries.sort(([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1])
  let expected = 0
  for (const [name, entry] of entries) expected = checkPlace(name, entry, expected)
  if (start + expected !== bytes.length)
    throw new FormatError(`safetensors: expected ${expected} bytes of data, got ${bytes.length - start}`)
  const tensors = new Map(entries.map(([name, entry]) => [name, tensorOf(bytes, start, name, entry)]))
  return { tensors, ...(metadata ? { metadata } : {}) }
}

/** @returns where the tensor ends, which is where the next one begins @throws FormatError */
function checkPlace(name: string, { dtype, shape, data_offsets: [from, to] }: Entry, expected: number): number {
  const bits = bitsOf(dtype)
  // of a type that is not known, only the beginning is
  const end = bits === undefined ? Math.max(to, expected) : expected + (sizeOf(shape) * bits) / 8
  if (from !== expected || to !== end)
    throw new FormatError(
      `safetensors: tensor "${name}" (${dtype} [${shape}]) should lie at ${expected} to ${end}, got ${from} to ${to}`,
    )
  return end
}

function tensorOf(bytes: Uint8Array, start: number, name: string, { dtype, shape, data_offsets }: Entry): NamedTensor {
  const [from, to] = data_offsets
  let data: NamedTensor['data'] | undefined
  return {
    dtype,
    shape,
    get data() {
      data ??= readElements(bytes.subarray(start + from, start + to), dtype, `safetensors: tensor "${name}"`)
      return data
    },
  }
}

function readHeader(bytes: Uint8Array) {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new FormatError('safetensors: the header is not JSON', { cause })
  }
  const header = headerSchema.safeParse(json)
  if (!header.success) throw new FormatError('safetensors: the header is not an object')
  const entries: [string, Entry][] = []
  let metadata: Readonly<Record<string, string>> | undefined
  for (const [name, value] of Object.entries(header.data))
    if (name === METADATA) metadata = checked(metadataSchema, name, value)
    else entries.push([name, checked(entrySchema, name, value)])
  return { entries, metadata }
}

function checked<T>(schema: z.ZodType<T>, name: string, value: unknown): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new FormatError(`safetensors: header entry "${name}": ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}`)
}

/** A tensor to be written; floats may leave out their type. */
export type TensorToWrite = Omit<NamedTensor, 'dtype'> & {
  /** As for {@link NamedTensor}; may be left out for floats. */
  readonly dtype?: string
}

/**
 * The bytes of a safetensors file, every tensor aligned to its element size; F32, F64 and I64 are written.
 * @throws InvalidArgumentError for other types, or data that does not fit its shape
 * @example
 * ```ts
 * import { encodeSafetensors } from '@he-ml/model'
 * const bytes = encodeSafetensors({ tensors: new Map([['w', { shape: [2], data: Float32Array.of(1, 2) }]]) })
 * ```
 */
export function encodeSafetensors(file: {
  readonly tensors: ReadonlyMap<string, TensorToWrite>
  readonly metadata?: Readonly<Record<string, string>> | undefined
}): Uint8Array {
  const header: Record<string, unknown> = Object.create(null)
  if (file.metadata) header[METADATA] = file.metadata
  const tensors = [...file.tensors].map(([name, tensor]) => ({ name, ...tensor, ...elementsOf(name, tensor) }))
  // the widest first, so that every offset is a multiple of the element size
  tensors.sort((a, b) => b.width - a.width)
  let offset = 0
  for (const { name, dtype, shape, data, width } of tensors) {
    if (name === METADATA || sizeOf(shape) !== data.length)
      throw new InvalidArgumentError(
        `safetensors: "${name}" [${shape}] does not fit ${data.length} values, or is reserved`,
      )
    const end = offset + data.length * width
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
  for (const { dtype, data, width } of tensors)
    for (const value of data) {
      if (dtype === 'F32') view.setFloat32(at, value, true)
      else if (dtype === 'F64') view.setFloat64(at, value, true)
      else view.setBigInt64(at, BigInt(value), true)
      at += width
    }
  return bytes
}

/** @throws InvalidArgumentError for a type that is not written */
function elementsOf(name: string, { dtype, data }: TensorToWrite): { readonly dtype: string; readonly width: number } {
  const type = dtype ?? (data instanceof Float32Array ? 'F32' : 'F64')
  const width = Object.hasOwn(BYTES, type) ? BYTES[type] : undefined
  if (width === undefined)
    throw new InvalidArgumentError(`safetensors: "${name}": ${type} is not written: use F32, F64 or I64`)
  return { dtype: type, width }
}
