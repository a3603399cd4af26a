import { decode, encode } from 'cborg'
import { FormatError, InvalidArgumentError } from '../errors/errors.ts'
import type { FileHeader, HeaderInput } from './header.ts'
import { headerSchema } from './header-schema.ts'
import { MAX_HEADER_BYTES, PRELUDE_BYTES } from './layout.ts'

const STRICT = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowNaN: false,
  allowInfinity: false,
  allowBigInt: false,
  rejectDuplicateMapKeys: true,
}

/** Path and reason of the first thing a schema found. */
function firstIssue(error: { issues: readonly { path: readonly PropertyKey[]; message: string }[] }): string {
  const issue = error.issues[0]!
  const path = issue.path.map((p) => (typeof p === 'number' ? `[${p}]` : `.${String(p)}`)).join('')
  return `header${path}: ${issue.message}`
}

function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([k, v]) => (v === undefined ? [] : [[k, withoutUndefined(v)]])),
  )
}

/**
 * Deterministic CBOR (RFC 8949 section 4.2.1 but for key order: shorter keys first) of a checked header.
 * @throws InvalidArgumentError naming the field that is out of range
 */
export function encodeHeader(
  input: HeaderInput & { readonly insecure?: true },
  lengths: readonly number[],
): Uint8Array {
  const parsed = headerSchema.safeParse(withoutUndefined({ ...input, segments: [...lengths] }))
  if (!parsed.success) throw new InvalidArgumentError(`container ${firstIssue(parsed.error)}`)
  const bytes = encode(parsed.data)
  if (bytes.length > MAX_HEADER_BYTES)
    throw new InvalidArgumentError(
      `container header: ${bytes.length} bytes, at most ${MAX_HEADER_BYTES}: split the file`,
    )
  return bytes
}

/** @throws FormatError unless it is one canonically encoded header of a known kind */
export function decodeHeader(bytes: Uint8Array): FileHeader {
  let value: unknown
  let again: Uint8Array
  try {
    value = decode(bytes, STRICT)
    again = encode(value)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new FormatError(`at byte ${PRELUDE_BYTES}: the header is not strict CBOR: ${reason}`, { cause })
  }
  const differs = again.findIndex((b, i) => b !== bytes[i])
  if (differs >= 0 || again.length !== bytes.length)
    throw new FormatError(
      `at byte ${PRELUDE_BYTES + Math.max(differs, 0)}: the header is not in canonical form (shortest numbers, sorted keys)`,
    )
  const parsed = headerSchema.safeParse(value)
  if (!parsed.success) throw new FormatError(firstIssue(parsed.error))
  return parsed.data
}
