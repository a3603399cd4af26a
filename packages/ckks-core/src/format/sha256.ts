/**
 * SHA-256 wherever we run: Node's own (hardware instructions, over a gigabyte per second), which keys of a hundred
 * megabytes want, or the portable one in browsers.
 */
import { sha256 as portable } from '@noble/hashes/sha2.js'

type Hash = { update(data: Uint8Array): Hash; copy(): Hash; digest(): Uint8Array }
type NodeCrypto = { createHash(algorithm: string): Hash }

function nodeCrypto(): NodeCrypto | undefined {
  const runtime = (globalThis as { process?: { getBuiltinModule?: (id: string) => unknown } }).process
  return runtime?.getBuiltinModule?.('node:crypto') as NodeCrypto | undefined
}

const crypto = nodeCrypto()

/** Of some bytes, and of these and the digest behind them: a file that ends in its checksum. One pass over the bytes. */
export function sha256AndOfWhole(bytes: Uint8Array): { readonly own: Uint8Array; readonly whole: Uint8Array } {
  if (crypto) {
    const hash = crypto.createHash('sha256').update(bytes)
    const own = new Uint8Array(hash.copy().digest())
    return { own, whole: new Uint8Array(hash.update(own).digest()) }
  }
  const hash = portable.create().update(bytes)
  const own = hash.clone().digest()
  return { own, whole: hash.update(own).digest() }
}

/** The digest of some bytes: 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return crypto ? new Uint8Array(crypto.createHash('sha256').update(bytes).digest()) : portable(bytes)
}
