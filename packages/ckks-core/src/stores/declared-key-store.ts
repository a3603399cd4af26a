/**
 * A key store for engines that compute without keys (clear): nothing is loaded, but residency, leases and budget are those of a
 * real one. A circuit that runs on the clear engine with it would find its keys on a real engine too.
 */
import type { AnyParameters } from '../parameters/parameters.ts'
import { BaseKeyStore } from '../port/base-key-store.ts'
import type { KeyStore } from '../port/key-store.ts'
import { type KeyRequest, keyBytes, listKeyNeeds } from '../port/keys.ts'
import type { StoredKey } from '../port/stored-key.ts'

class DeclaredKeyStore extends BaseKeyStore {
  readonly keyId = undefined

  protected async load(_: StoredKey, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
  }
  protected unload(_: StoredKey): void {}
}

/**
 * A store of the keys of a request that have sizes but no content.
 *
 * @throws InvalidArgumentError for a budget that is no positive number
 * @example
 * ```ts
 * import { createClearEngine, createDeclaredKeyStore, createParameters } from '@he-ml/ckks-core'
 * const parameters = createParameters({ logN: 13, levels: 3, scaleBits: 30, dnum: 4 })
 * const keys = createDeclaredKeyStore(parameters, { rotations: [{ steps: 1, level: 3 }] })
 * const engine = createClearEngine(parameters, { keys })
 * using lease = await keys.acquire([{ kind: 'rotation', steps: 1, level: 3 }])
 * engine.rotate(engine.encryptClear(Float64Array.of(1, 2, 3, 4)), 1)
 * ```
 */
export function createDeclaredKeyStore(
  parameters: AnyParameters,
  request: KeyRequest,
  options: { readonly budget?: number } = {},
): KeyStore {
  const keys = listKeyNeeds(request).map((need) => ({ need, bytes: keyBytes(parameters, need) }))
  return new DeclaredKeyStore(keys, options.budget)
}
