import { UnsupportedError } from '@he-ml/ckks-core'

/**
 * Without an id nothing tells which ciphertexts, evaluation keys and published results belong to a key.
 * @param path of the key's file, for the message
 * @throws UnsupportedError for a key without one
 */
export function assertNamed(keyId: string | undefined, path: string): asserts keyId is string {
  if (keyId === undefined)
    throw new UnsupportedError(
      `${path}: the key names no id, so nothing tells what belongs to it: make it with he-ml keygen`,
    )
}
