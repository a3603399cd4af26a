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

/** Codes of failures that what is in the files may be the reason of; memory and cancelling have others. */
const ABOUT_CONTENT: ReadonlySet<string> = new Set(['Format', 'InvalidArgument', 'MissingKey', 'ParameterMismatch'])

/**
 * Awaits work on what several files hold together, such as a result and the key it is opened with; what fails names them all.
 *
 * @param files what each is, by its path
 * @throws errors of ours with the files that they do not name behind the message
 */
export async function aboutFiles<T>(files: Readonly<Record<string, string>>, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof HeMlError && ABOUT_CONTENT.has(error.code)) {
      const { message } = error
      const more = Object.entries(files).filter(([path]) => !message.includes(path))
      if (more.length > 0) error.message = `${message} (${more.map(([path, what]) => `${what} ${path}`).join(', ')})`
    }
    throw error
  }
}
