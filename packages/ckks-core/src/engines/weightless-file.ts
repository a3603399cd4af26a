/**
 * Files of the engines that encrypt nothing (clear, plan), so that whatever stores, spills or resumes runs on them as on a real
 * one. Each ciphertext is its shape and some float64: slots, or estimates. The magic says what it is; no other engine reads it.
 *
 *     'HEML' engine name '\n'   u32 length of the header   header, JSON   float64, little endian
 */
import { z } from 'zod'
import { FormatError, ParameterMismatchError } from '../errors/errors.ts'
import type { AnyParameters } from '../parameters/parameters.ts'
import type { CiphertextMeta } from '../port/base-handle.ts'
import type { CiphertextFile, CiphertextNames } from '../port/engine.ts'
import type { Ciphertext } from '../port/handles.ts'

/** A ciphertext as such a file holds it. */
export interface WeightlessItem {
  readonly meta: CiphertextMeta
  readonly numbers: Float64Array
}

const name = z.string().max(256).optional()
const header = z.strictObject({
  parameters: z.string(),
  names: z.strictObject({ plan: name, keyId: name, request: name }),
  ciphertexts: z
    .array(
      z.strictObject({
        level: z.number().int().min(0),
        scale: z.number().min(1),
        slots: z.number().int().min(1),
        degree: z.union([z.literal(1), z.literal(2)]),
        numbers: z
          .number()
          .int()
          .min(0)
          .max(2 ** 18),
      }),
    )
    .min(1),
})

const magicOf = (engine: string): Uint8Array => new TextEncoder().encode(`HEML ${engine}\n`)

/** @see decodeWeightless */
export function encodeWeightless(
  engine: string,
  parameters: AnyParameters,
  items: readonly WeightlessItem[],
  names: CiphertextNames = {},
): Uint8Array {
  const ciphertexts = items.map(({ meta, numbers }) => ({ ...meta, numbers: numbers.length }))
  const json = new TextEncoder().encode(JSON.stringify({ parameters: parameters.id, names, ciphertexts }))
  const magic = magicOf(engine)
  const total = items.reduce((sum, { numbers }) => sum + numbers.length, 0)
  const bytes = new Uint8Array(magic.length + 4 + json.length + 8 * total)
  const view = new DataView(bytes.buffer)
  bytes.set(magic)
  view.setUint32(magic.length, json.length, true)
  bytes.set(json, magic.length + 4)
  let at = magic.length + 4 + json.length
  for (const { numbers } of items)
    for (const number of numbers) {
      view.setFloat64(at, number, true)
      at += 8
    }
  return bytes
}

/** @throws FormatError for anything else; ParameterMismatchError for other parameters or another plan */
export function decodeWeightless(
  engine: string,
  parameters: AnyParameters,
  bytes: Uint8Array,
  expected: { readonly plan?: string } = {},
): { readonly items: WeightlessItem[]; readonly names: CiphertextNames } {
  const magic = magicOf(engine)
  if (bytes.length < magic.length + 4 || magic.some((byte, i) => bytes[i] !== byte))
    throw new FormatError(`expected a file of the ${engine} engine, got something else`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const start = magic.length + 4
  const end = start + view.getUint32(magic.length, true)
  const { parameters: id, names, ciphertexts } = parseHeader(bytes.subarray(start, end), engine)
  mismatch('parameters', parameters.id, id)
  if (expected.plan !== undefined && names.plan !== undefined) mismatch('plan', expected.plan, names.plan)
  const total = ciphertexts.reduce((sum, { numbers }) => sum + numbers, 0)
  if (bytes.length !== end + 8 * total)
    throw new FormatError(`a file of the ${engine} engine: expected ${end + 8 * total} bytes, got ${bytes.length}`)
  let at = end
  const items = ciphertexts.map(({ numbers: count, ...meta }) => {
    const numbers = new Float64Array(count)
    for (let i = 0; i < count; i++, at += 8) numbers[i] = view.getFloat64(at, true)
    return { meta, numbers }
  })
  return { items, names: defined(names) }
}

/** The only ciphertext of a file. @throws FormatError when there are more; none is left then */
export function single({ ciphertexts }: CiphertextFile): Ciphertext {
  if (ciphertexts.length === 1) return ciphertexts[0]!
  for (const ciphertext of ciphertexts) ciphertext.dispose()
  throw new FormatError(`expected one ciphertext, the file holds ${ciphertexts.length}: use importCiphertexts`)
}

function parseHeader(bytes: Uint8Array, engine: string): z.infer<typeof header> {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new FormatError(`a file of the ${engine} engine: its header is no JSON`, { cause })
  }
  const result = header.safeParse(json)
  if (result.success) return result.data
  const { path, message } = result.error.issues[0]!
  throw new FormatError(`a file of the ${engine} engine: header.${path.join('.')}: ${message}`)
}

function mismatch(field: string, wanted: string, got: string): void {
  if (wanted !== got) throw new ParameterMismatchError(`header.${field}: expected ${wanted}, got ${got}`)
}

const defined = (names: { [key in keyof CiphertextNames]?: string | undefined }): CiphertextNames =>
  Object.fromEntries(Object.entries(names).filter(([, value]) => value !== undefined))
