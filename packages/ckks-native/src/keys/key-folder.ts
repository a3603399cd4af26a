/**
 * A key set on disk as a key store. A key is read in pieces into a buffer that is used again, hashed on the way, and unpacked from
 * there by the engine's threads; two are on their way at a time, so that one is read while the other is unpacked.
 *
 * Files are not mapped into memory: a mapped file that somebody else cuts raises SIGBUS, which ends the whole process, and one
 * that is changed after its checksum was taken would be unpacked unchecked. Reading costs one copy out of the page cache, a small
 * part of what hashing and unpacking cost.
 */
import {
  BaseKeyStore,
  type EvaluationKeyEntry,
  type KeyRequest,
  type KeyStore,
  keyBytes,
  type StoredKey,
  serves,
} from '@he-ml/ckks-core'
import { type ListedKeys, listKeys, readListedKey } from '@he-ml/ckks-core/node'
import type { NativeEngine } from '../native-engine.ts'
import { elementOf, loadKeySegments } from './load-keys.ts'
import { maxKeyFileBytes, wantedKeyFiles } from './wanted-key-files.ts'

/** Options of {@link openKeyFolder}. */
export interface KeyFolderOptions {
  /** Bytes of memory that its keys may take together; default no limit. */
  readonly budget?: number
  /** Content hash of the plan that the keys must be for. */
  readonly plan?: string
  /**
   * What the plan asks for. Servers give it: whatever else a manifest lists is passed over, and what is missing is said before
   * anything is read. Default: every evaluation key that is listed.
   */
  readonly request?: KeyRequest
  /** As in `OpenKeysOptions`. */
  readonly onJudged?: (keys: KeyStore) => Promise<void>
}

interface FolderKey extends StoredKey {
  readonly entry: EvaluationKeyEntry
  readonly element: number
}

class KeyFolder extends BaseKeyStore<FolderKey> {
  readonly keyId: string | undefined
  readonly #engine: NativeEngine
  readonly #listed: ListedKeys
  #hold: Disposable | undefined
  readonly #buffers: Uint8Array[] = []
  readonly #largest: number

  constructor(engine: NativeEngine, listed: ListedKeys, keys: readonly FolderKey[], budget: number | undefined) {
    super(keys, budget)
    this.#engine = engine
    this.#listed = listed
    this.keyId = listed.keyId
    this.#largest = keys.reduce((most, { entry }) => Math.max(most, entry.bytes), 0)
  }

  /** From now on the engine's keys belong to the set's secret key. @throws ParameterMismatchError when they belong to another */
  claim(): void {
    this.#hold = this.#engine.keys.hold(this.keyId, 'the key set')
  }

  protected async load({ entry }: FolderKey, signal: AbortSignal): Promise<void> {
    const buffer = this.#buffers.pop() ?? new Uint8Array(this.#largest)
    try {
      const { header, segments } = await readListedKey(this.#listed, this.#engine.parameters, entry, { buffer, signal })
      signal.throwIfAborted()
      await loadKeySegments(this.#engine, header, segments)
    } finally {
      this.#buffers.push(buffer)
    }
  }

  protected unload({ element }: FolderKey): void {
    this.#engine.keys.unload(element)
  }

  override async dispose(): Promise<void> {
    await super.dispose()
    this.#hold?.[Symbol.dispose]()
    this.#buffers.length = 0
  }
}

/**
 * Opens the evaluation keys of a manifest: those of `request`, or all. None of them is loaded yet. Sizes are checked against what
 * such keys can have, and on the disk, before the first is read or a byte is allocated; only ordinary files count, no links. When a
 * key is loaded: the file's frame, checksum and SHA-256 (against the manifest) before the engine sees a byte of it; each residue
 * while it is unpacked. Memory beside the keys: twice the largest file. Public keys of the set are passed over, and of two keys for
 * the same operation the one of the higher level is taken.
 *
 * While the store is open its keys come to the engine through it alone.
 *
 * @param path folder with a manifest (`KEY_SET_FILE` of ckks-core/node), or a manifest
 * @throws MissingKeyError without a manifest, for a key of the request that it does not list, or a listed file that is not there;
 *   FormatError for files that are not those listed; ParameterMismatchError for other parameters, another plan or another secret key
 */
export async function openKeyFolder(
  engine: NativeEngine,
  path: string,
  options: KeyFolderOptions = {},
): Promise<KeyStore> {
  const { parameters } = engine
  const wanted = options.request
    ? wantedKeyFiles(parameters, options.request)
    : (entry: Parameters<typeof maxKeyFileBytes>[1]) => maxKeyFileBytes(parameters, entry)
  const listed = await listKeys(path, parameters, wanted, options.plan)
  const keys = new Map<number, FolderKey>()
  for (const entry of listed.entries) {
    const element = elementOf(entry)
    const need = engine.keys.needOf(element, entry.level, entry.raising)
    const other = keys.get(element)
    if (other !== undefined && serves(other.need, need)) continue
    keys.set(element, { need, element, entry, bytes: keyBytes(parameters, need) })
  }
  const store = new KeyFolder(engine, listed, [...keys.values()], options.budget)
  await options.onJudged?.(store)
  store.claim()
  return store
}
