import type { KeyStore } from '@he-ml/ckks-core'
import { peekSwitchingKey } from '../seal-bytes.ts'
import type { SealEngine } from '../seal-engine.ts'
import { SealKeyStore, type SealKeyStoreOptions } from './seal-key-store.ts'

class SealKeyMemory extends SealKeyStore<Uint8Array> {
  protected async read(file: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    signal.throwIfAborted()
    return file
  }
}

/**
 * Opens a key store over files in memory, one key each, as the seal client makes them. What a file says it is is looked at now, its
 * content when it is loaded. The bytes are kept and must not change.
 *
 * @throws FormatError for anything but evaluation keys of these parameters, or two for the same operation
 * @example
 * ```ts
 * import { createParameters } from '@he-ml/ckks-core'
 * import { createSealEngine, openSealKeyMemory, sealParameters } from '@he-ml/ckks-seal'
 * import { createSealClient } from '@he-ml/ckks-seal/client'
 * const parameters = createParameters(sealParameters({ logN: 13, levels: 2, scaleBits: 36 }))
 * const client = await createSealClient(parameters)
 * const secret = await client.generateSecretKey()
 * const files: Uint8Array[] = []
 * for await (const { bytes } of client.generateEvaluationKeys(secret, { rotations: [{ steps: 1, level: 2 }] })) files.push(bytes)
 * const keys = await openSealKeyMemory(await createSealEngine(parameters), files, { keyId: secret.keyId })
 * using lease = await keys.acquire([{ kind: 'rotation', steps: 1, level: 2 }])
 * console.log(lease.bytes)
 * ```
 */
export async function openSealKeyMemory(
  engine: SealEngine,
  files: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  options: SealKeyStoreOptions = {},
): Promise<KeyStore> {
  const found: [number | undefined, Uint8Array][] = []
  for await (const bytes of files) found.push([peekSwitchingKey(bytes, engine.shape), bytes])
  const store = new SealKeyMemory(engine, found, options)
  await options.onJudged?.(store)
  return store
}
