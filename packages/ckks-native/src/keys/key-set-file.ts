/**
 * A key set on disk: a folder with one file per key and a manifest, the container of kind 'keySet', that names each with its
 * size and SHA-256. The manifest is written last and removed first, so a folder that has one is complete.
 */
import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type AnyParameters, FileSystemError, type HeaderOf, MissingKeyError } from '@he-ml/ckks-core'
import { onFile, readContainerFile } from '@he-ml/ckks-core/node'

/** File name of the manifest. */
export const KEY_SET_FILE = 'keys.manifest'

/** A manifest that was read, and where its files lie. */
export interface KeySet {
  readonly folder: string
  readonly header: HeaderOf<'keySet'>
}

/**
 * Reads and checks a manifest; none of its key files yet.
 *
 * @param path the folder, or the manifest itself
 * @param plan content hash of the plan that the keys must be for
 * @throws MissingKeyError when the folder has none; FormatError, ParameterMismatchError
 */
export async function readKeySet(path: string, parameters: AnyParameters, plan?: string): Promise<KeySet> {
  const isFolder = (await onFile(path, stat(path))).isDirectory()
  const manifest = isFolder ? join(path, KEY_SET_FILE) : path
  const expectations = { kind: 'keySet', parameters, ...(plan === undefined ? {} : { plan }) } as const
  try {
    const { header } = await readContainerFile(manifest, expectations, isFolder ? { links: 'refuse' } : {})
    return { folder: dirname(manifest), header }
  } catch (error) {
    if (!(error instanceof FileSystemError && error.systemCode === 'ENOENT')) throw error
    throw new MissingKeyError(
      `${manifest} is missing, so the keys are not complete: copy the whole folder, or finish making them`,
      { cause: error },
    )
  }
}
