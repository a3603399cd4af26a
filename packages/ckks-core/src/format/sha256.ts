/**
 * SHA-256 wherever we run: Node's own (hardware instructions, over a gigabyte per second), which keys of a hundred
 * megabytes want, or the portable one in browsers.
 */
import { sha256 as portable } from '@noble/hashes/sha2.js'

type Hash = { update(data: Uint8Array): Hash; digest(): Uint8Array }
type NodeCrypto = { createHash(algorithm: string): Hash }

function nodeCrypto(): NodeCrypto | undefined {
  const runtime = (globalThis as { process?: { getBuiltinModule?: (id: string) => unknown } }).process
  return runtime?.getBuiltinModule?.('node:crypto') as NodeCrypto | undefined
}

const crypto = nodeCrypto()

/** The digest of some bytes: 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return crypto ? new Uint8Array(crypto.createHash('sha256').update(bytes).digest()) : portable(bytes)
}
