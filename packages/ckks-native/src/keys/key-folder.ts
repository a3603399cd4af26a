/**
 * A key set on disk as a key store. A key is read in pieces into a buffer that is used again, hashed on the way, and unpacked from
 * there by the engine's threads; two are on their way at a time, so that one is read while the other is unpacked.
 *
 * Files are not mapped into memory: a mapped file that somebody else cuts raises SIGBUS, which ends the whole process, and one
 * that is changed after its checksum was taken would be unpacked unchecked. Reading costs one copy out of the page cache, a small
 * part of what hashing and unpacking cost.
 */
import { join } from 'node:path'
import {
  BaseKeyStore,
  FileSystemError,
  FormatError,
  type KeyFileEntry,
  type KeyRequest,
  type KeyStore,
  keyBytes,
  type StoredKey,
  selectKeyFiles,
} from '@he-ml/ckks-core'
import { type ContainerFile, type KeySet, openContainerFile, ordinaryFileSize, readKeySet } from '@he-ml/ckks-core/node'
import type { NativeEngine } from '../native-engine.ts'
import { type EvaluationKeyKind, elementOf, loadKeySegments } from './load-keys.ts'
import { maxKeyFileBytes, wantedKeyFiles } from './wanted-key-files.ts'

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
}

type EvaluationKeyEntry = KeyFileEntry & { readonly kind: EvaluationKeyKind }

interface FolderKey extends StoredKey {
  readonly entry: EvaluationKeyEntry
  readonly element: number
}

class KeyFolder extends BaseKeyStore<FolderKey> {
  readonly keyId: string | undefined
  readonly #engine: NativeEngine
  readonly #set: KeySet
  readonly #hold: Disposable
  readonly #buffers: Uint8Array[] = []
  readonly #largest: number

  constructor(engine: NativeEngine, set: KeySet, keys: readonly FolderKey[], budget: number | undefined) {
    super(keys, budget)
    this.#engine = engine
    this.#set = set
    this.keyId = set.header.keyId
    this.#largest = keys.reduce((most, { entry }) => Math.max(most, entry.bytes), 0)
    this.#hold = engine.keys.hold(set.header.keyId, 'the key set')
  }

  protected async load({ entry }: FolderKey, signal: AbortSignal): Promise<void> {
    const { folder, header } = this.#set
    const { keyId, plan } = header
    const expectations = {
      kind: entry.kind,
      parameters: this.#engine.parameters,
      ...(keyId === undefined ? {} : { keyId }),
      ...(plan === undefined ? {} : { plan }),
    }
    await using file = await openContainerFile(join(folder, entry.file), expectations, { links: 'refuse' })
    const buffer = this.#buffers.pop() ?? new Uint8Array(this.#largest)
    try {
      const segments = await readListed(file, entry, buffer, signal)
      signal.throwIfAborted()
      await loadKeySegments(this.#engine, file.header, segments)
    } finally {
      this.#buffers.push(buffer)
    }
  }

  protected unload({ element }: FolderKey): void {
    this.#engine.keys.unload(element)
  }

  override async dispose(): Promise<void> {
    await super.dispose()
    this.#hold[Symbol.dispose]()
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
 * @throws MissingKeyError without a manifest or for a key of the request that it does not list; FormatError for files that
 *   are not those listed; ParameterMismatchError for other parameters, another plan or another secret key
 */
export async function openKeyFolder(
  engine: NativeEngine,
  path: string,
  options: KeyFolderOptions = {},
): Promise<KeyStore> {
  const set = await readKeySet(path, engine.parameters, options.plan)
  const { folder, header } = set
  engine.keys.check(header.keyId, 'the key set')
  const listed = options.request
    ? selectKeyFiles(header.keys, wantedKeyFiles(engine.parameters, options.request), folder)
    : header.keys
  const entries = listed.filter((entry): entry is EvaluationKeyEntry => entry.kind !== 'publicKey')
  await checkSizes(folder, engine, entries)
  const keys = new Map<number, FolderKey>()
  for (const entry of entries) {
    const element = elementOf(entry)
    const need = engine.keys.needOf(element, entry.level)
    const other = keys.get(element)
    if (other !== undefined && other.entry.level >= entry.level) continue
    keys.set(element, { need, element, entry, bytes: keyBytes(engine.parameters, need) })
  }
  return new KeyFolder(engine, set, [...keys.values()], options.budget)
}

async function checkSizes(folder: string, engine: NativeEngine, entries: readonly KeyFileEntry[]): Promise<void> {
  for (const entry of entries) {
    const path = join(folder, entry.file)
    const most = maxKeyFileBytes(engine.parameters, entry)
    if (entry.bytes > most)
      throw new FormatError(`${path}: the manifest lists ${entry.bytes} bytes, such a key has at most ${most}`)
    const size = await ordinaryFileSize(path, { links: 'refuse' }).catch((error: unknown) => {
      if (error instanceof FileSystemError && error.systemCode === 'ENOENT') return undefined
      throw error
    })
    if (size !== entry.bytes)
      throw new FormatError(
        `${path}: the manifest lists ${entry.bytes} bytes, got ${size === undefined ? 'no file' : size}: copy the folder again`,
      )
  }
}

/** Segments of a file whose header, checksum and SHA-256 are those listed; views of `into`. */
async function readListed(
  file: ContainerFile<EvaluationKeyKind>,
  entry: EvaluationKeyEntry,
  into: Uint8Array,
  signal: AbortSignal,
): Promise<Uint8Array[]> {
  const { header, layout, path } = file
  const element = header.kind === 'galoisKey' ? header.galoisElement : undefined
  if (header.level !== entry.level || element !== entry.galoisElement || layout.totalBytes !== entry.bytes)
    throw new FormatError(
      `${path}: another level, Galois element or size than the manifest lists: copy the folder again`,
    )
  const start = layout.segments[0]!.offset
  const segments = layout.segments.map(({ offset, bytes }) => into.subarray(offset - start, offset - start + bytes))
  const sha256 = await file.verify({
    signal,
    take: (segment, offset, piece) => segments[segment]!.set(piece, offset),
  })
  if (sha256 !== entry.sha256)
    throw new FormatError(`${path}: expected the SHA-256 ${entry.sha256}, got ${sha256}: copy the folder again`)
  return segments
}
