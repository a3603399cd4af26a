/** Files of SEAL's object by object, as they may be larger than memory. */
import { FormatError } from '@he-ml/ckks-core'
import { onFile, openOrdinaryFile } from '@he-ml/ckks-core/node'
import {
  describeSealFile,
  SEAL_HEADER_BYTES,
  type SealObjectDescription,
  sealObjectBytes,
} from '@he-ml/ckks-seal/client'
import { MAX_SEAL_OBJECT_BYTES } from './size-limits.ts'

/** What a file holds. */
export interface SealFile {
  readonly bytes: number
  /** At least one. */
  readonly objects: readonly SealObjectDescription[]
}

type Handle = Awaited<ReturnType<typeof openOrdinaryFile>>['handle']

async function read(path: string, handle: Handle, at: number, count: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(count)
  for (let done = 0; done < count; ) {
    const { bytesRead } = await onFile(path, handle.read(bytes, done, count - done, at + done))
    if (bytesRead === 0) return bytes.subarray(0, done)
    done += bytesRead
  }
  return bytes
}

/** @throws FormatError naming file, object and byte; FileSystemError */
export async function describeFile(path: string): Promise<SealFile> {
  const { handle, size } = await openOrdinaryFile(path)
  const objects: SealObjectDescription[] = []
  let at = 0
  try {
    do {
      const length = sealObjectBytes(await read(path, handle, at, SEAL_HEADER_BYTES))
      if (length > Math.min(size - at, MAX_SEAL_OBJECT_BYTES))
        throw new FormatError(
          `SEAL object: it says it has ${length} bytes; ${size - at} are there, and one has at most ${MAX_SEAL_OBJECT_BYTES}`,
        )
      const content = await read(path, handle, at, length)
      try {
        objects.push(...describeSealFile(content))
      } finally {
        // it may be a secret key
        content.fill(0)
      }
      at += length
    } while (at < size)
    return { bytes: size, objects }
  } catch (error) {
    if (error instanceof FormatError)
      throw new FormatError(`${path}: object ${objects.length + 1}, from byte ${at} on: ${error.message}`, {
        cause: error,
      })
    throw error
  } finally {
    await handle.close()
  }
}
