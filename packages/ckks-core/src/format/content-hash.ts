import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { FormatError, InvalidArgumentError } from '../errors/errors.ts'

function write(value: unknown, path: string): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new InvalidArgumentError(`canonical JSON: ${path} is ${value}`)
    return JSON.stringify(value)
  }
  if (Array.isArray(value)) return `[${value.map((v, i) => write(v, `${path}[${i}]`)).join(',')}]`
  if (typeof value !== 'object') throw new InvalidArgumentError(`canonical JSON: ${path} is a ${typeof value}`)
  if ('toJSON' in value && typeof value.toJSON === 'function') return write(value.toJSON(), path)
  const record = value as Record<string, unknown>
  const fields = Object.keys(record)
    .filter((k) => record[k] !== undefined)
    .sort()
    .map((k) => `${JSON.stringify(k)}:${write(record[k], `${path}.${k}`)}`)
  return `{${fields.join(',')}}`
}

/**
 * JSON in the one form of RFC 8785: keys sorted by UTF-16 code units, no spaces, shortest numbers. Fields that are
 * undefined are left out; `toJSON` is honoured.
 * @throws InvalidArgumentError for NaN, infinities, functions and the like
 */
export const canonicalJson = (value: unknown): string => write(value, '$')

/** SHA-256 of the canonical JSON, hex: the name of a plan. */
export const contentHash = (value: unknown): string => bytesToHex(sha256(utf8ToBytes(canonicalJson(value))))

/** @throws FormatError unless the bytes are canonical JSON with this hash */
export function verifyContentHash(wanted: string, segment: Uint8Array): void {
  const got = bytesToHex(sha256(segment))
  if (got !== wanted)
    throw new FormatError(`header.contentHash: expected ${got}, the hash of the content, got ${wanted}`)
  let canonical: boolean
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(segment)
    canonical = canonicalJson(JSON.parse(text)) === text
  } catch (cause) {
    // also a nesting so deep that the stack ends
    throw new FormatError('segment 0: expected JSON in UTF-8', { cause })
  }
  if (!canonical) throw new FormatError('segment 0: the JSON is not in canonical form')
}
