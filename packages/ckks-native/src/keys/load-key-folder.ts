import { CancelledError, type KeyStore, listKeyNeeds } from '@he-ml/ckks-core'
import type { NativeEngine } from '../native-engine.ts'
import { type KeyFolderOptions, openKeyFolder } from './key-folder.ts'

/** Options of {@link loadKeyFolder}. */
export interface LoadKeyFolderOptions extends Omit<KeyFolderOptions, 'budget'> {
  /** After each key. */
  readonly onProgress?: (loaded: number, total: number) => void
  /** Stops between keys and between pieces of one. */
  readonly signal?: AbortSignal
}

/**
 * Opens a key folder and loads all its keys, for good: they stay until the store or the engine is disposed of.
 *
 * @throws CancelledError through the signal, and what `openKeyFolder` and loading throw; no key of the folder is loaded then
 */
export async function loadKeyFolder(
  engine: NativeEngine,
  path: string,
  options: LoadKeyFolderOptions = {},
): Promise<KeyStore> {
  const { onProgress, signal, ...rest } = options
  if (signal?.aborted) throw new CancelledError('key loading: cancelled before it started', { cause: signal.reason })
  const store = await openKeyFolder(engine, path, rest)
  try {
    const needs = listKeyNeeds(store.available)
    store.prefetch(needs)
    for (const [i, need] of needs.entries()) {
      await store.acquire([need], signal ? { signal } : {})
      onProgress?.(i + 1, needs.length)
    }
    return store
  } catch (error) {
    await store.dispose()
    throw error
  }
}
