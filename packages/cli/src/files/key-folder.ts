/**
 * Evaluation keys as a folder: one file per key and a manifest written last, so that a folder whose keys are not all there has
 * none. An older manifest is removed before the first key is written.
 */
import { createHash } from 'node:crypto'
import { access, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type AnyParameters,
  encodeContainer,
  FileSystemError,
  FormatError,
  type HeaderOf,
  type KeyFileEntry,
  MissingKeyError,
  selectKeyFiles,
  type WantedKeyFile,
} from '@he-ml/ckks-core'
import type { KeyFile } from '@he-ml/ckks-core/client'
import { onFile, ordinaryFileSize, readContainerFile, readOrdinaryFile, writeFileAtomic } from '@he-ml/ckks-core/node'
import { assertNamed } from './secret-key-file.ts'

const MANIFEST = 'keys.manifest'

export interface KeyFolderInfo {
  readonly plan: string
  readonly keyId: string
}

/** A key set that names its secret key. */
export type Manifest = HeaderOf<'keySet'> & { readonly keyId: string }

/** Writes keys as they come, then the manifest. Returns the total bytes. */
export async function writeKeyFolder(
  folder: string,
  parameters: AnyParameters,
  info: KeyFolderInfo,
  keys: AsyncIterable<KeyFile>,
): Promise<{ readonly count: number; readonly bytes: number }> {
  await onFile(folder, mkdir(folder, { recursive: true }))
  await rm(join(folder, MANIFEST), { force: true })
  const entries: KeyFileEntry[] = []
  for await (const key of keys) {
    await writeFileAtomic(join(folder, key.name), key.bytes)
    entries.push({
      file: key.name,
      kind: key.kind,
      level: key.level,
      ...(key.galoisElement === undefined ? {} : { galoisElement: key.galoisElement }),
      bytes: key.bytes.length,
      sha256: sha256(key.bytes),
    })
  }
  const manifest = encodeContainer(
    { kind: 'keySet', parameters: parameters.id, ...info, keys: entries },
    [],
    parameters,
  )
  await writeFileAtomic(join(folder, MANIFEST), manifest)
  return { count: entries.length, bytes: entries.reduce((sum, e) => sum + e.bytes, 0) }
}

/**
 * The manifest of a folder.
 * @throws MissingKeyError when there is none; FormatError; ParameterMismatchError when the keys are for another plan;
 *   UnsupportedError when it does not name the secret key
 */
export async function readManifest(folder: string, parameters: AnyParameters, plan: string): Promise<Manifest> {
  const path = join(folder, MANIFEST)
  try {
    const { header } = await readContainerFile(path, { kind: 'keySet', parameters, plan }, { links: 'refuse' })
    assertNamed(header.keyId, path)
    return { ...header, keyId: header.keyId }
  } catch (error) {
    if (!isMissing(error)) throw error
    await onFile(folder, access(folder))
    throw new MissingKeyError(
      `${path} is missing, so the keys are not complete: copy the whole folder, or run "he-ml keygen --reuse" again`,
      { cause: error },
    )
  }
}

/**
 * Which files of a folder are read: those that hold the plan's keys, whatever else the manifest lists. Each is an ordinary file
 * of the size that is listed and that such a key can have; all of that is known before the first is opened.
 *
 * @throws MissingKeyError, FormatError; InvalidArgumentError for pipes, devices and links
 */
export async function chooseKeyFiles(
  folder: string,
  manifest: Manifest,
  wanted: readonly WantedKeyFile[],
): Promise<KeyFileEntry[]> {
  const entries = selectKeyFiles(manifest.keys, wanted, join(folder, MANIFEST))
  for (const entry of entries) {
    const path = join(folder, entry.file)
    const size = await ordinaryFileSize(path, { links: 'refuse' }).catch((error: unknown) => {
      if (!isMissing(error)) throw error
      throw new MissingKeyError(`${path} is missing, though the manifest lists it: copy the whole folder`, {
        cause: error,
      })
    })
    if (size !== entry.bytes) throw notListed(path)
  }
  return entries
}

/** Every chosen key, checked against the manifest, one at a time. */
export async function* readKeyFolder(
  folder: string,
  entries: readonly KeyFileEntry[],
): AsyncGenerator<{ readonly entry: KeyFileEntry; readonly bytes: Uint8Array }> {
  for (const entry of entries) {
    const path = join(folder, entry.file)
    const bytes = await readOrdinaryFile(path, { maxBytes: entry.bytes, what: 'the listed key', links: 'refuse' })
    if (bytes.length !== entry.bytes || sha256(bytes) !== entry.sha256) throw notListed(path)
    yield { entry, bytes }
  }
}

const notListed = (path: string): FormatError =>
  new FormatError(`${path}: not the file that the manifest lists: copy the folder again`)

const isMissing = (error: unknown): boolean => error instanceof FileSystemError && error.systemCode === 'ENOENT'

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
