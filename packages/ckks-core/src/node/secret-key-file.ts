import { isSecretKeyStart, SECRET_KEY_START_BYTES } from '../format/secret-key-start.ts'
import { openOrdinaryFile } from './read-ordinary-file.ts'

/** What the names of ledgers end in. */
export const LEDGER_ENDING = '.ledger'

/**
 * Whether an ordinary file begins as a secret key does, whatever it is called; nothing behind its first 4 KiB is read.
 * @throws InvalidArgumentError for pipes and devices; FileSystemError
 */
export async function isSecretKeyFile(path: string): Promise<boolean> {
  const { handle } = await openOrdinaryFile(path)
  const start = new Uint8Array(SECRET_KEY_START_BYTES)
  try {
    let length = 0
    while (length < start.length) {
      const { bytesRead } = await handle.read(start, length, start.length - length, length)
      if (bytesRead === 0) break
      length += bytesRead
    }
    return isSecretKeyStart(start.subarray(0, length))
  } finally {
    start.fill(0)
    await handle.close()
  }
}
