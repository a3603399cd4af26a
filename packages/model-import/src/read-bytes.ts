import { checkArgument, HeMlError, type OptionCheck, optionCheck, UnsupportedError } from '@he-ml/ckks-core'
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
  checkArgument('import of a model', 'its source', source, isSource)
  if (typeof source !== 'string') {
    assertModelSize('the model', source.length, maxBytes)
    return source
  }
  assertModelSize(source, await ordinaryFileSize(source), maxBytes)
  return readOrdinaryFile(source, { maxBytes, what: 'a model' })
}

/** Awaits what is made of a source; errors of ours begin with its path, where it has one and they do not name it. */
export async function aboutSource<T>(source: ModelSource, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof HeMlError && typeof source === 'string' && !error.message.includes(source))
      error.message = `${source}: ${error.message}`
    throw error
  }
}

/** @throws UnsupportedError for a size above `maxBytes`: the file may be sound */
export function assertModelSize(what: string, size: number, maxBytes: number = DEFAULT_MAX_BYTES): void {
  if (size > maxBytes) throw new UnsupportedError(`${what}: ${size} bytes, the limit is ${maxBytes}: raise maxBytes`)
}

const isSource: OptionCheck = (value) =>
  optionCheck.path(value) === undefined || optionCheck.bytes(value) === undefined
    ? undefined
    : 'the path of a file, or its bytes (a Uint8Array)'
