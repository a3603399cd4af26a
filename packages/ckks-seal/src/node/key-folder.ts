import { type EvaluationKeyEntry, type KeyRequest, type KeyStore, UnsupportedError } from '@he-ml/ckks-core'
import { type ListedKeys, listKeys, readListedFile } from '@he-ml/ckks-core/node'
import { SealKeyStore } from '../keys/seal-key-store.ts'
import { maxSealKeyFileBytes, sealKeyFiles } from '../keys/wanted-key-files.ts'
import type { SealEngine } from '../seal-engine.ts'

/** Options of {@link openSealKeyFolder}. */
export interface SealKeyFolderOptions {
  /** Bytes of memory that its keys may take together; default, and at most, what SEAL's heap has room for. */
  readonly budget?: number
  /** Content hash of the plan that the keys must be for. */
  readonly plan?: string
  /** What the plan asks for: whatever else a manifest lists is passed over. Default: every evaluation key that is listed. */
  readonly request?: KeyRequest
  /** As in `OpenKeysOptions`. */
  readonly onJudged?: (keys: KeyStore) => Promise<void>
}

class SealKeyFolder extends SealKeyStore<EvaluationKeyEntry> {
  readonly #listed: ListedKeys

  constructor(engine: SealEngine, listed: ListedKeys, budget: number | undefined) {
    const files = listed.entries.map((entry) => [elementOf(entry), entry] as const)
    super(engine, files, { ...(budget === undefined ? {} : { budget }), keyId: listed.keyId })
    this.#listed = listed
  }
  protected read(entry: EvaluationKeyEntry, signal: AbortSignal): Promise<Uint8Array> {
    return readListedFile(this.#listed, entry, { signal })
  }
}

function elementOf({ kind, galoisElement }: EvaluationKeyEntry): number | undefined {
  if (kind === 'encapsulationKey') throw new UnsupportedError('SEAL has no bootstrapping: use the native engine')
  return kind === 'relinearizationKey' ? undefined : (galoisElement ?? 0)
}

/**
 * Opens the evaluation keys of a folder that `writeKeyFolder` made with the seal client: those of `request`, or all. None of them is
 * loaded yet, and nothing but their sizes is looked at. SEAL's files name neither a plan nor a key: the manifest does, and its SHA-256
 * of each file is compared when that is loaded, before SEAL sees it.
 *
 * @param path folder with a manifest (`KEY_SET_FILE` of ckks-core/node), or a manifest
 * @throws MissingKeyError without a manifest, for a key of the request that it does not list, or a listed file that is not there;
 *   FormatError for files that are not those listed; ParameterMismatchError for other parameters or another plan;
 *   UnsupportedError for keys of bootstrapping
 */
export async function openSealKeyFolder(
  engine: SealEngine,
  path: string,
  { request, plan, budget, onJudged }: SealKeyFolderOptions = {},
): Promise<KeyStore> {
  const { parameters } = engine
  const wanted = request ? sealKeyFiles(parameters, request) : () => maxSealKeyFileBytes(parameters)
  const store = new SealKeyFolder(engine, await listKeys(path, parameters, wanted, plan), budget)
  await onJudged?.(store)
  return store
}
