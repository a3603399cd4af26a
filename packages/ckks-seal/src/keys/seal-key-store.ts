/**
 * Keys that come and go in SEAL's heap, wherever their files lie. All keys are for the top level, so all are of one size; together they
 * never exceed what is left of the heap's 4 GB, so that a network may have more rotation keys than fit at a time.
 */
import { BaseKeyStore, FormatError, type KeyNeed, type KeyStore, type StoredKey } from '@he-ml/ckks-core'
import type { SealEngine } from '../seal-engine.ts'
import { KEY_HEAP, sealKeyBytes } from './seal-keys.ts'

/** A key of SEAL's, and where its file is. */
export interface SealStoredKey<F> extends StoredKey {
  /** SEAL's Galois element; undefined for relinearisation. */
  readonly element: number | undefined
  readonly file: F
}

/** Options of a store of keys for SEAL. */
export interface SealKeyStoreOptions {
  /** Bytes of memory that loaded keys may take together; default, and at most, what SEAL's heap has room for. */
  readonly budget?: number
  /** Name of the secret key that they belong to; SEAL's files name none. */
  readonly keyId?: string | undefined
  /** As in `OpenKeysOptions`. */
  readonly onJudged?: (keys: KeyStore) => Promise<void>
}

/** @internal */
export abstract class SealKeyStore<F> extends BaseKeyStore<SealStoredKey<F>> {
  readonly keyId: string | undefined
  readonly #engine: SealEngine

  /** @throws FormatError for two files of the same key */
  constructor(
    engine: SealEngine,
    files: Iterable<readonly [element: number | undefined, file: F]>,
    options: SealKeyStoreOptions,
  ) {
    super(storedKeys(engine, files), Math.min(KEY_HEAP, options.budget ?? KEY_HEAP))
    this.#engine = engine
    this.keyId = options.keyId
  }

  /** The file's content. What is given back is not kept. */
  protected abstract read(file: F, signal: AbortSignal): Promise<Uint8Array>

  protected async load({ element, file }: SealStoredKey<F>, signal: AbortSignal): Promise<void> {
    const bytes = await this.read(file, signal)
    signal.throwIfAborted()
    if (element === undefined) this.#engine.keys.loadRelinearization(bytes)
    else this.#engine.keys.loadGalois(bytes, element)
  }
  protected unload({ element }: SealStoredKey<F>): void {
    this.#engine.keys.unload(element)
  }
}

function storedKeys<F>(
  { keys, parameters }: SealEngine,
  files: Iterable<readonly [element: number | undefined, file: F]>,
): SealStoredKey<F>[] {
  const found = new Map<number | undefined, SealStoredKey<F>>()
  const relinearization: KeyNeed = { kind: 'relinearization', level: parameters.maxLevel }
  for (const [element, file] of files) {
    if (found.has(element))
      throw new FormatError(
        `there are two files for ${element === undefined ? 'relinearisation' : `element ${element}`}`,
      )
    const need = element === undefined ? relinearization : keys.needOf(element)
    found.set(element, { need, element, file, bytes: sealKeyBytes(parameters) })
  }
  return [...found.values()]
}
