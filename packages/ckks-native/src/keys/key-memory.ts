/**
 * A key store over files in memory: seeded, they are half as large as the keys they become. For servers that get their keys over
 * a connection, and for processes without a disk.
 */
import {
  BaseKeyStore,
  type EvaluationKeyKind,
  FormatError,
  type HeaderOf,
  type KeyStore,
  keyBytes,
  parseContainer,
  type StoredKey,
} from '@he-ml/ckks-core'
import type { NativeEngine } from '../native-engine.ts'
import { elementOf, loadKeySegments } from './load-keys.ts'

/** Options of {@link openKeyMemory}. */
export interface KeyMemoryOptions {
  /** Bytes of memory that loaded keys may take together; default no limit. */
  readonly budget?: number
  /** Content hash of the plan that the keys must be for. */
  readonly plan?: string
  /** Name of the secret key that they must belong to. */
  readonly keyId?: string
  /** As in `OpenKeysOptions`. */
  readonly onJudged?: (keys: KeyStore) => Promise<void>
}

interface MemoryKey extends StoredKey {
  readonly element: number
  readonly header: HeaderOf<EvaluationKeyKind>
  readonly segments: readonly Uint8Array[]
}

class KeyMemory extends BaseKeyStore<MemoryKey> {
  readonly keyId: string | undefined
  readonly #engine: NativeEngine
  #hold: Disposable | undefined

  constructor(engine: NativeEngine, keys: readonly MemoryKey[], budget: number | undefined) {
    super(keys, budget)
    this.#engine = engine
    this.keyId = keys.find(({ header }) => header.keyId !== undefined)?.header.keyId
  }
  /** From now on the engine's keys belong to the set's secret key. @throws ParameterMismatchError when they belong to another */
  claim(): void {
    this.#hold = this.#engine.keys.hold(this.keyId, 'the key set')
  }
  protected async load({ header, segments }: MemoryKey, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    await loadKeySegments(this.#engine, header, segments)
  }
  protected unload({ element }: MemoryKey): void {
    this.#engine.keys.unload(element)
  }
  override async dispose(): Promise<void> {
    await super.dispose()
    this.#hold?.[Symbol.dispose]()
  }
}

/** The kinds of files it takes. */
const KINDS = ['relinearizationKey', 'galoisKey', 'encapsulationKey'] as const

/**
 * Opens a store over the files of keys. Each file's frame and checksum is checked now, each residue when it is loaded. The bytes
 * are kept and must not change.
 *
 * @throws FormatError for anything but evaluation keys, or two for the same operation; ParameterMismatchError for other parameters,
 *   or keys of different secret keys or plans
 */
export async function openKeyMemory(
  engine: NativeEngine,
  files: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  options: KeyMemoryOptions = {},
): Promise<KeyStore> {
  const { parameters } = engine
  const keys = new Map<number, MemoryKey>()
  let ids: { readonly keyId?: string; readonly plan?: string } = {
    ...(options.plan === undefined ? {} : { plan: options.plan }),
    ...(options.keyId === undefined ? {} : { keyId: options.keyId }),
  }
  for await (const bytes of files) {
    const { header, segments } = parseContainer(bytes, { kind: KINDS, parameters, ...ids })
    const { keyId, plan } = header
    ids = { ...ids, ...(keyId === undefined ? {} : { keyId }), ...(plan === undefined ? {} : { plan }) }
    const element = elementOf(header)
    const need = engine.keys.needOf(
      element,
      header.level,
      header.kind === 'encapsulationKey' ? header.raising : undefined,
    )
    if (keys.has(element)) throw new FormatError(`there are two files for the same key, the ${header.kind}`)
    keys.set(element, { need, element, header, segments, bytes: keyBytes(parameters, need) })
  }
  const store = new KeyMemory(engine, [...keys.values()], options.budget)
  await options.onJudged?.(store)
  store.claim()
  return store
}
