/**
 * Evaluation keys from disk. Files are read in pieces into two buffers that are used again for every key, hashed on the way,
 * and unpacked from there by the engine's threads: while one key is unpacked, the next one is read and checked.
 *
 * They are not mapped into memory: a mapped file that somebody else cuts raises SIGBUS, which ends the whole process, and one
 * that is changed after its checksum was taken would be unpacked unchecked. Reading costs one copy out of the page cache,
 * a small part of what hashing and unpacking cost.
 */
import { join } from 'node:path'
import {
  FileSystemError,
  FormatError,
  HeMlError,
  type KeyFileEntry,
  type KeyRequest,
  selectKeyFiles,
} from '@he-ml/ckks-core'
import { type ContainerFile, openContainerFile, ordinaryFileSize } from '@he-ml/ckks-core/node'
import { throwIfAborted } from './errors.ts'
import { type EvaluationKeyKind, loadKeySegments } from './evaluation-keys.ts'
import { readKeySet } from './key-set-file.ts'
import type { NativeEngine } from './native-engine.ts'
import { maxKeyFileBytes, wantedKeyFiles } from './wanted-key-files.ts'

export interface LoadKeyFilesOptions {
  /** After each key. */
  readonly onProgress?: (loaded: number, total: number) => void
  /** Stops between keys and between pieces of one; keys loaded before stay. */
  readonly signal?: AbortSignal
  /** Content hash of the plan that the keys must be for. */
  readonly plan?: string
  /**
   * What the plan asks for. Servers give it: whatever else a manifest lists is passed over, and what is missing is said before
   * anything is read. Default: every evaluation key that is listed.
   */
  readonly request?: KeyRequest
}

type EvaluationKeyEntry = KeyFileEntry & { readonly kind: EvaluationKeyKind }

/**
 * Loads the evaluation keys of a manifest: those of `request`, or all. Sizes are checked against what such keys can have, and
 * on the disk, before the first is read or a byte is allocated; only ordinary files count, no links. Each file's frame,
 * checksum and SHA-256 (against the manifest) before the engine sees a byte of it; each residue while it is unpacked. Memory
 * beside the keys: twice the largest file. Public keys of the set are passed over.
 *
 * @param path folder with a manifest ({@link KEY_SET_FILE}), or a manifest
 * @throws MissingKeyError without a manifest or for a key of the request that it does not list; FormatError for files that
 *   are not those listed; ParameterMismatchError for other parameters, another plan or another secret key; CancelledError
 *   through the signal
 */
export async function loadEvaluationKeyFiles(
  engine: NativeEngine,
  path: string,
  options: LoadKeyFilesOptions = {},
): Promise<void> {
  const { onProgress, signal } = options
  const { folder, header } = await readKeySet(path, engine.parameters, options.plan)
  engine.checkKeyId(header.keyId, 'the key set')
  const listed = options.request
    ? selectKeyFiles(header.keys, wantedKeyFiles(engine.parameters, options.request), folder)
    : header.keys
  const entries = listed.filter((entry): entry is EvaluationKeyEntry => entry.kind !== 'publicKey')
  await checkSizes(folder, engine, entries)
  const largest = entries.reduce((most, entry) => Math.max(most, entry.bytes), 0)
  const buffers = [new Uint8Array(largest), new Uint8Array(largest)] as const
  let loading: Promise<void> | undefined
  try {
    for (const [i, entry] of entries.entries()) {
      throwIfAborted(signal, `key loading: cancelled after ${i} of ${entries.length} keys`)
      const expectations = { kind: entry.kind, parameters: engine.parameters, ...idsOf(header) }
      await using file = await openContainerFile(join(folder, entry.file), expectations, { links: 'refuse' })
      const segments = await readListed(file, entry, buffers[i % 2]!, signal)
      await loading
      if (i > 0) onProgress?.(i, entries.length)
      loading = loadKeySegments(engine, file.header, segments)
      // whoever awaits it below gets the error; a read that fails first must not leave it unhandled
      loading.catch(() => {})
    }
    await loading
    if (entries.length > 0) onProgress?.(entries.length, entries.length)
  } catch (error) {
    if (!(error instanceof HeMlError)) throwIfAborted(signal, 'key loading: cancelled while a key was read')
    throw error
  } finally {
    await loading?.catch(() => {})
  }
}

const idsOf = ({ keyId, plan }: { readonly keyId?: string | undefined; readonly plan?: string | undefined }) => ({
  ...(keyId === undefined ? {} : { keyId }),
  ...(plan === undefined ? {} : { plan }),
})

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
  signal: AbortSignal | undefined,
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
    ...(signal ? { signal } : {}),
    take: (segment, offset, piece) => segments[segment]!.set(piece, offset),
  })
  if (sha256 !== entry.sha256)
    throw new FormatError(`${path}: expected the SHA-256 ${entry.sha256}, got ${sha256}: copy the folder again`)
  return segments
}
