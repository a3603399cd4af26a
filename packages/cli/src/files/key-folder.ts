/** Evaluation keys from a folder, for either engine: what is read, and that it is what the manifest lists. */
import { createHash } from 'node:crypto'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type AnyParameters,
  FileSystemError,
  FormatError,
  type HeaderOf,
  type KeyFileEntry,
  MissingKeyError,
  selectKeyFiles,
  type WantedKeyFile,
} from '@he-ml/ckks-core'
import { KEY_SET_FILE, onFile, ordinaryFileSize, readContainerFile, readOrdinaryFile } from '@he-ml/ckks-core/node'
import { assertNamed } from './secret-key-file.ts'

/** A key set that names its secret key. */
export type Manifest = HeaderOf<'keySet'> & { readonly keyId: string }

/**
 * The manifest of a folder.
 * @throws MissingKeyError when there is none; FormatError; ParameterMismatchError when the keys are for another plan;
 *   UnsupportedError when it does not name the secret key
 */
export async function readManifest(folder: string, parameters: AnyParameters, plan: string): Promise<Manifest> {
  const path = join(folder, KEY_SET_FILE)
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
  const entries = selectKeyFiles(manifest.keys, wanted, join(folder, KEY_SET_FILE))
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
