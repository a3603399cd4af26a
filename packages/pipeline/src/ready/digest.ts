import { sha256, toHex } from '@he-ml/ckks-core'

/** SHA-256 over the SHA-256 of each part, hex. */
export function digest(...parts: readonly Uint8Array[]): string {
  const all = new Uint8Array(32 * parts.length)
  for (const [i, part] of parts.entries()) all.set(sha256(part), 32 * i)
  return toHex(sha256(all))
}
