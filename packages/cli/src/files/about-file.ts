import { HeMlError } from '@he-ml/ckks-core'
import { systemError } from '@he-ml/ckks-core/node'

/**
 * Awaits work on a file's content (reading and parsing it); what fails names it, whoever failed. `onFile` is enough where only
 * the system can fail.
 *
 * @throws FileSystemError for what the system answers; errors of ours with the path in front, unless they name it already
 */
export async function aboutFile<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    const ours = systemError(error, (error as NodeJS.ErrnoException | undefined)?.path ?? path)
    if (ours instanceof HeMlError && !ours.message.includes(path)) ours.message = `${path}: ${ours.message}`
    throw ours
  }
}
