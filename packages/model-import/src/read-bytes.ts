import { UnsupportedError } from '@he-ml/ckks-core'
import { ordinaryFileSize, readOrdinaryFile } from '@he-ml/ckks-core/node'

/** A path, or the file's bytes. */
export type ModelSource = string | Uint8Array

/** Largest file accepted unless the caller says otherwise: 512 MiB. */
const DEFAULT_MAX_BYTES = 2 ** 29

/**
 * The bytes of an ordinary file, or those given.
 *
 * @throws UnsupportedError when there are more than `maxBytes`; FileSystemError with the path when it cannot be read;
 *   InvalidArgumentError for a pipe or a device
 */
export async function readBytes(source: ModelSource, maxBytes: number = DEFAULT_MAX_BYTES): Promise<Uint8Array> {
  if (typeof source !== 'string') {
    assertModelSize('the model', source.length, maxBytes)
    return source
  }
  assertModelSize(source, await ordinaryFileSize(source), maxBytes)
  return readOrdinaryFile(source, { maxBytes, what: 'a model' })
}

/** @throws UnsupportedError for a size above `maxBytes`: the file may be sound */
export function assertModelSize(what: string, size: number, maxBytes: number = DEFAULT_MAX_BYTES): void {
  if (size > maxBytes) throw new UnsupportedError(`${what}: ${size} bytes, the limit is ${maxBytes}: raise maxBytes`)
}
