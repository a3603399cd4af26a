/**
 * Evaluation keys as a folder: one file per key and a manifest written last, so that a folder whose keys are not all there has
 * none. An older manifest is removed before the first key is written.
 */
import { createHash } from 'node:crypto'
import { access, mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type AnyParameters,
  encodeContainer,
  FileSystemError,
  FormatError,
  type KeyFileEntry,
  MissingKeyError,
  parseContainer,
} from '@he-ml/ckks-core'
import type { KeyFile } from '@he-ml/ckks-core/client'
import { readContainerFile, systemError, writeFileAtomic } from '@he-ml/ckks-core/node'
import type { EvaluationKeyKind } from '../engines.ts'
import { aboutFile } from './about-file.ts'

const MANIFEST = 'keys.manifest'

export interface KeyFolderInfo {
  readonly plan: string
  readonly keyId: string
}

/** Writes keys as they come, then the manifest. Returns the total bytes. */
export async function writeKeyFolder(
  folder: string,
  parameters: AnyParameters,
  info: KeyFolderInfo,
  keys: AsyncIterable<KeyFile>,
): Promise<{ readonly count: number; readonly bytes: number }> {
  await aboutFile(folder, mkdir(folder, { recursive: true }))
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
 * @throws MissingKeyError when there is none; FormatError; ParameterMismatchError when the keys are for another plan
 */
export async function readManifest(folder: string, parameters: AnyParameters, plan: string) {
  try {
    const { header } = await readContainerFile(join(folder, MANIFEST), { kind: 'keySet', parameters, plan })
    return header
  } catch (error) {
    const ours = systemError(error, join(folder, MANIFEST))
    if (!(ours instanceof FileSystemError && ours.systemCode === 'ENOENT')) throw ours
    await aboutFile(folder, access(folder))
    throw new MissingKeyError(
      `${join(folder, MANIFEST)} is missing, so the keys are not complete: copy the whole folder, or run "he-ml keygen --reuse" again`,
      { cause: error },
    )
  }
}

/** Every key of a folder, checked against the manifest, one at a time. */
export async function* readKeyFolder(
  folder: string,
  entries: readonly KeyFileEntry[],
): AsyncGenerator<{ readonly kind: EvaluationKeyKind; readonly bytes: Uint8Array }> {
  for (const entry of entries) {
    if (entry.kind === 'publicKey') continue
    const bytes = await aboutFile(join(folder, entry.file), readFile(join(folder, entry.file)))
    if (bytes.length !== entry.bytes || sha256(bytes) !== entry.sha256)
      throw new FormatError(`${join(folder, entry.file)}: not the file that the manifest lists: copy the folder again`)
    yield { kind: entry.kind, bytes }
  }
}

/** Whether a file of our format is one of ours, and of which kind; for messages. */
export function kindOf(bytes: Uint8Array): string | undefined {
  try {
    return parseContainer(bytes).header.kind
  } catch {
    return undefined
  }
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
