/**
 * The keys that a manifest lists, for whoever evaluates: which of its files are wanted, that they are there with the sizes that are
 * listed, and then one file at a time, compared with what is listed. Nothing but these files is looked at. A folder comes from
 * outside, so its names lead to ordinary files and nowhere else, and no size is believed before it is judged.
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { CancelledError, FileSystemError, FormatError, MissingKeyError } from '../errors/errors.ts'
import type { EvaluationKeyEntry, EvaluationKeyKind, HeaderOf, KeyFileEntry } from '../format/header.ts'
import { selectKeyFiles, type WantedKeyFile } from '../format/select-key-files.ts'
import type { AnyParameters } from '../parameters/parameters.ts'
import { openContainerFile } from './container-file.ts'
import { readKeySet } from './key-set-file.ts'
import { openOrdinaryFile, ordinaryFileSize } from './read-ordinary-file.ts'
import { onFile } from './system-error.ts'

/** Keys that lie in a folder, with the sizes that are listed. */
export interface ListedKeys {
  /** Path of the folder. */
  readonly folder: string
  /** Name of the secret key that they belong to; undefined where the manifest names none. */
  readonly keyId: string | undefined
  /** Content hash of the plan that they were made for, likewise. */
  readonly plan: string | undefined
  /** The evaluation keys that were asked for. */
  readonly entries: readonly EvaluationKeyEntry[]
}

/**
 * Reads a manifest and looks at the files of the keys that are wanted; opens none of them. What else is listed is passed over: public
 * keys, other plans' keys, pipes, terabytes.
 *
 * @param path folder with a manifest (`KEY_SET_FILE`), or a manifest
 * @param wanted the files, in the order wanted; or, for every evaluation key that is listed, the most bytes that its file can have
 * @param plan content hash of the plan that the set must be for
 * @throws MissingKeyError without a manifest, for a wanted key that it does not list, and for a listed file that is not there;
 *   FormatError for other sizes than those listed, or than such keys can have; InvalidArgumentError for pipes, devices and links;
 *   ParameterMismatchError for other parameters or another plan
 */
export async function listKeys(
  path: string,
  parameters: AnyParameters,
  wanted: readonly WantedKeyFile[] | ((entry: KeyFileEntry) => number),
  plan?: string,
): Promise<ListedKeys> {
  const { folder, manifest, header } = await readKeySet(path, parameters, plan)
  const every = typeof wanted === 'function'
  const chosen = every ? header.keys : await select(folder, header.keys, wanted, manifest)
  const entries = chosen.filter((entry): entry is EvaluationKeyEntry => entry.kind !== 'publicKey')
  if (every) for (const entry of entries) assertPossible(folder, entry, wanted(entry))
  for (const entry of entries) await assertThere(folder, entry)
  return { folder, keyId: header.keyId, plan: header.plan, entries }
}

/** The wanted ones. Keys that are not listed are often another engine's: then that is said. */
async function select(
  folder: string,
  keys: readonly KeyFileEntry[],
  wanted: readonly WantedKeyFile[],
  manifest: string,
): Promise<KeyFileEntry[]> {
  try {
    return selectKeyFiles(keys, wanted, manifest)
  } catch (error) {
    const engine = error instanceof MissingKeyError ? await engineOf(folder, keys) : undefined
    if (engine === undefined) throw error
    throw new MissingKeyError(
      `${(error as Error).message}; those in this folder were made by the ${engine} engine: if another one runs, run the plan with this one (--engine ${engine}), or make keys with the other`,
      { cause: error },
    )
  }
}

/** Whose files these are, by how the first one begins. */
async function engineOf(folder: string, keys: readonly KeyFileEntry[]): Promise<'native' | 'seal' | undefined> {
  const [first] = keys
  if (!first) return undefined
  const opened = await openOrdinaryFile(join(folder, first.file), { links: 'refuse' }).catch(() => undefined)
  if (!opened) return undefined
  try {
    const start = new Uint8Array(2)
    await opened.handle.read(start, 0, 2, 0)
    const [a, b] = start
    return a === 0x48 && b === 0x45 ? 'native' : a === 0x5e && b === 0xa1 ? 'seal' : undefined
  } finally {
    await opened.handle.close()
  }
}

function assertPossible(folder: string, { file, bytes }: KeyFileEntry, most: number): void {
  if (bytes > most)
    throw new FormatError(
      `${join(folder, file)} is listed with ${bytes} bytes, such a key has at most ${most}: make the keys again`,
    )
}

async function assertThere(folder: string, { file, bytes }: KeyFileEntry): Promise<void> {
  const path = join(folder, file)
  const size = await present(path, ordinaryFileSize(path, { links: 'refuse' }))
  if (size !== bytes) throw otherSize(path, bytes, size)
}

/** What the system says of a listed file; that there is none means that the set is not complete. */
async function present<T>(path: string, answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    if (!(error instanceof FileSystemError && error.systemCode === 'ENOENT')) throw error
    throw new MissingKeyError(`${path} is missing, though the manifest lists it: copy the whole folder`, {
      cause: error,
    })
  }
}

/** A key's own header, and its segments. */
export interface ListedKey {
  /** Checked, and what the manifest says. */
  readonly header: HeaderOf<EvaluationKeyKind>
  /** Views of the buffer. */
  readonly segments: readonly Uint8Array[]
}

/** Options of {@link readListedKey}. */
export interface ReadListedKeyOptions {
  /** Taken for the content when it is large enough for `bytes` of the entry; default a new one. */
  readonly buffer?: Uint8Array
  /** Stops between reads, with CancelledError. */
  readonly signal?: AbortSignal
}

/**
 * Reads the file of a listed key, a container of ours, in pieces; it is hashed on the way. The header must be that of the key which is
 * listed, for the same secret key and plan; checksum and SHA-256 must be right. Residues are judged by whoever unpacks them.
 *
 * @throws FormatError for another file than the one listed; ParameterMismatchError for another secret key or plan; MissingKeyError
 *   when it is gone; the signal's reason when aborted
 */
export async function readListedKey(
  { folder, keyId, plan }: ListedKeys,
  parameters: AnyParameters,
  entry: EvaluationKeyEntry,
  { buffer, signal }: ReadListedKeyOptions = {},
): Promise<ListedKey> {
  const path = join(folder, entry.file)
  const expectations = {
    kind: entry.kind,
    parameters,
    ...(keyId === undefined ? {} : { keyId }),
    ...(plan === undefined ? {} : { plan }),
  }
  await using file = await present(path, openContainerFile(path, expectations, { links: 'refuse' }))
  const { header, layout } = file
  const element = header.kind === 'galoisKey' ? header.galoisElement : undefined
  const raising = header.kind === 'encapsulationKey' ? header.raising : undefined
  if (
    header.level !== entry.level ||
    element !== entry.galoisElement ||
    JSON.stringify(raising) !== JSON.stringify(entry.raising) ||
    layout.totalBytes !== entry.bytes
  )
    throw new FormatError(
      `${path}: another level, Galois element or size than the manifest lists: copy the folder again`,
    )
  const content = room(entry, buffer)
  const start = layout.segments[0]!.offset
  const segments = layout.segments.map(({ offset, bytes }) => content.subarray(offset - start, offset - start + bytes))
  const sha256 = await file.verify({ ...(signal ? { signal } : {}), into: segments })
  assertHash(path, entry, sha256)
  return { header, segments }
}

/**
 * The same for files that are no containers of ours (SEAL's): the bytes alone are compared with what is listed.
 *
 * @throws FormatError for another file than the one listed; MissingKeyError when it is gone; CancelledError through the signal
 */
export async function readListedFile(
  { folder }: Pick<ListedKeys, 'folder'>,
  entry: KeyFileEntry,
  { buffer, signal }: ReadListedKeyOptions = {},
): Promise<Uint8Array> {
  const path = join(folder, entry.file)
  const { handle, size } = await present(path, openOrdinaryFile(path, { links: 'refuse' }))
  try {
    if (size !== entry.bytes) throw otherSize(path, entry.bytes, size)
    const bytes = room(entry, buffer)
    const hash = createHash('sha256')
    for (let done = 0; done < size; ) {
      if (signal?.aborted) throw new CancelledError(`${path}: cancelled while it was read`, { cause: signal.reason })
      const { bytesRead } = await onFile(path, handle.read(bytes, done, Math.min(size - done, CHUNK), done))
      if (bytesRead === 0) throw new FormatError(`${path}: it ended at byte ${done} of ${size}: cut while being read`)
      hash.update(bytes.subarray(done, done + bytesRead))
      done += bytesRead
    }
    assertHash(path, entry, hash.digest('hex'))
    return bytes
  } finally {
    await handle.close()
  }
}

const CHUNK = 4 * 2 ** 20

const room = ({ bytes }: KeyFileEntry, buffer: Uint8Array | undefined): Uint8Array =>
  buffer !== undefined && buffer.length >= bytes ? buffer.subarray(0, bytes) : new Uint8Array(bytes)

function assertHash(path: string, { sha256 }: KeyFileEntry, got: string): void {
  if (got !== sha256)
    throw new FormatError(`${path}: expected the SHA-256 ${sha256}, got ${got}: copy the folder again`)
}

const otherSize = (path: string, listed: number, got: number): FormatError =>
  new FormatError(`${path}: the manifest lists ${listed} bytes, got ${got}: copy the folder again`)
