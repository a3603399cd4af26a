/**
 * What the system answers to a call, as an error of ours: with the path (Node leaves it out where the failure shows after
 * opening, such as EISDIR while reading) and with what to do. Everything else passes through as it is.
 */
import { FileSystemError, type HeMlError, UnsupportedError } from '../errors/errors.ts'

const SAYS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder: check the name',
  EACCES: 'permission denied: check the rights of the file and of the folders above it',
  EPERM: 'the system does not permit that: check its owner and attributes',
  EISDIR: 'expected a file, got a folder: give the name of a file',
  ENOTDIR: 'a file stands where the path needs a folder: check the name',
  EEXIST: 'it exists already: remove it, or take another name',
  ENOTEMPTY: 'the folder is not empty: empty it, or take another one',
  ENOSPC: 'no space is left on the device: free some',
  EDQUOT: 'the quota is used up: free some space',
  EROFS: 'the file system is read-only: take another folder',
  EFBIG: 'larger than the file system or the limits allow',
  ELOOP: 'too many symbolic links: they may form a circle',
  ENAMETOOLONG: 'the name is too long: take a shorter one',
  EMFILE: 'this process has too many files open: raise the limit (ulimit -n)',
  ENFILE: 'the system has too many files open: close some',
  EBUSY: 'in use by something else: close that first',
  ETXTBSY: 'in use as a program: end it first',
  EXDEV: 'the two places are on different devices',
  EIO: 'the device failed to read or write',
}

/** Whether an error is the system's answer to a call. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException & { readonly code: string } {
  const { code, syscall } = (error ?? {}) as { code?: unknown; syscall?: unknown }
  return error instanceof Error && typeof syscall === 'string' && typeof code === 'string' && /^E[A-Z0-9]+$/.test(code)
}

/**
 * The system's error as a {@link FileSystemError}; a file beyond what Node reads whole as an UnsupportedError; any other
 * error unchanged.
 *
 * @param path what the caller worked on; default: the path that the error carries
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { systemError } from '@he-ml/ckks-core/node'
 * const file = 'no-such-file.key'
 * await readFile(file).catch((error) => console.log(systemError(error, file)))
 * ```
 */
export function systemError(error: unknown, path?: string): unknown {
  if ((error as { code?: unknown } | undefined)?.code === 'ERR_FS_FILE_TOO_LARGE') return tooLarge(error, path)
  if (!isSystemError(error)) return error
  const { code, message } = error
  return new FileSystemError(path ?? error.path ?? error.syscall!, code, SAYS[code] ?? message, { cause: error })
}

/**
 * Awaits work on a file, with the system's errors made ours.
 *
 * @throws FileSystemError, UnsupportedError as {@link systemError} says; whatever else the work throws
 */
export async function onFile<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw systemError(error, path)
  }
}

const tooLarge = (error: unknown, path = 'the file'): HeMlError =>
  new UnsupportedError(`${path}: larger than 2 GiB, which is not read whole: read it in ranges, or split it`, {
    cause: error,
  })
