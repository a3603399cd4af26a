import { readFile, stat } from 'node:fs/promises'
import { FormatError } from '@he-ml/ckks-core'

/** A path, or the file's bytes. */
export type ModelSource = string | Uint8Array

/** Largest file accepted unless the caller says otherwise: 512 MiB. */
export const DEFAULT_MAX_BYTES = 2 ** 29

/** @throws FormatError when there are more than maxBytes; the file system's own error when a path cannot be read */
export async function readBytes(source: ModelSource, maxBytes: number = DEFAULT_MAX_BYTES): Promise<Uint8Array> {
  if (typeof source !== 'string') return source
  const { size } = await stat(source)
  if (size > maxBytes) throw new FormatError(`${source} has ${size} bytes, the limit is ${maxBytes}: raise maxBytes`)
  return readFile(source)
}
