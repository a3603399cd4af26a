/**
 * A key set on disk: a folder with one file per key and a manifest, the container of kind 'keySet', that names each with its
 * size and SHA-256. The manifest is written last and removed first, so a folder that has one is complete.
 */
import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { FileSystemError, MissingKeyError } from '../errors/errors.ts'
import type { HeaderOf, KeyFileEntry } from '../format/header.ts'
import type { AnyParameters } from '../parameters/parameters.ts'
import { readContainerFile } from './container-file.ts'
import { onFile } from './system-error.ts'
import { writeContainerFile } from './write-container-file.ts'

/** File name of the manifest. */
export const KEY_SET_FILE = 'keys.manifest'

/** A manifest that was read, and where its files lie. */
export interface KeySet {
  /** Folder of the manifest, where its files lie. */
  readonly folder: string
  /** Path of the manifest itself. */
  readonly manifest: string
  /** The manifest's header: what keys there are. */
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
    return { folder: dirname(manifest), manifest, header }
  } catch (error) {
    if (!(error instanceof FileSystemError && error.systemCode === 'ENOENT')) throw error
    throw new MissingKeyError(
      `${manifest} is missing, so the keys are not complete: copy the whole folder, or finish making them (he-ml keygen --reuse)`,
      { cause: error },
    )
  }
}

/** What a manifest says beside its files. */
export interface KeySetIds {
  /** Name of the secret key behind the keys. */
  readonly keyId?: string
  /** Content hash of the plan that the keys are for. */
  readonly plan?: string
}

/** Writes the manifest of a folder whose files are all there. @throws FileSystemError */
export async function writeKeySet(
  folder: string,
  parameters: AnyParameters,
  ids: KeySetIds,
  keys: readonly KeyFileEntry[],
): Promise<void> {
  const header = { kind: 'keySet' as const, parameters: parameters.id, ...ids, keys: [...keys] }
  await writeContainerFile(join(folder, KEY_SET_FILE), header, [], { parameters })
}
