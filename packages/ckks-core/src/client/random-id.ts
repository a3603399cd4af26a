import { toHex } from '../format/to-hex.ts'

/** 16 random bytes as 32 hex digits: names for keys and requests. */
export function randomId(): string {
  return toHex(globalThis.crypto.getRandomValues(new Uint8Array(16)))
}
