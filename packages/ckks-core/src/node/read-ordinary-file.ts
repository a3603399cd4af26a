/**
 * Files from outside, read whole: ordinary ones only, and never more bytes than the caller says it can use. A named pipe would
 * hold the process until somebody writes to it, a device may never end, and a file whose size is not looked at first fills the
 * memory. So the path is looked at before it is opened, opened without waiting, looked at again (it may have been exchanged
 * in between), and its size judged before anything is allocated.
 */
import { constants, type Stats } from 'node:fs'
import { lstat, open, stat } from 'node:fs/promises'
import { FileSystemError, FormatError, InvalidArgumentError } from '../errors/errors.ts'
import { onFile } from './system-error.ts'

const CHUNK = 2 ** 26

/** How files are opened. */
export interface OrdinaryFileOptions {
  /** 'refuse' where the name was not chosen by whoever runs the program; default 'follow'. */
  readonly links?: 'follow' | 'refuse'
}

/** Options of {@link readOrdinaryFile}. */
export interface ReadOptions extends OrdinaryFileOptions {
  /** Largest file that can make sense. */
  readonly maxBytes: number
  /** What is expected there, for the message: "a plan". */
  readonly what?: string
}

/** What a read gave. */
export interface BytesRead {
  /** How many bytes; 0 at the file's end. */
  readonly bytesRead: number
}

/** What is used of an open file: as a type of our own, so that users need no types of Node. */
export interface OpenFile {
  /** Reads up to `length` bytes of the file from `position` on into `into`, from `offset` on; fewer at the file's end. */
  read(into: Uint8Array, offset: number, length: number, position: number): Promise<BytesRead>
  /** Gives it back. */
  close(): Promise<void>
}

/** An open ordinary file and its size when it was opened. */
export interface OpenOrdinaryFile {
  /** For whoever opened it to close. */
  readonly handle: OpenFile
  /** In bytes. */
  readonly size: number
}

function kindOf(found: Stats): string {
  if (found.isFIFO()) return 'a named pipe'
  if (found.isSocket()) return 'a socket'
  if (found.isCharacterDevice() || found.isBlockDevice()) return 'a device'
  return found.isSymbolicLink() ? 'a symbolic link' : 'something else'
}

function assertOrdinary(path: string, found: Stats): void {
  if (found.isFile()) return
  if (found.isDirectory()) throw new FileSystemError(path, 'EISDIR', 'expected a file, got a folder')
  throw new InvalidArgumentError(`${path}: expected an ordinary file, got ${kindOf(found)}: give the file itself`)
}

/**
 * Size of an ordinary file; nothing is opened.
 * @throws InvalidArgumentError for pipes, sockets, devices (and links, when refused); FileSystemError for folders and
 *   whatever the system answers
 */
export async function ordinaryFileSize(path: string, { links = 'follow' }: OrdinaryFileOptions = {}): Promise<number> {
  const found = await onFile(path, links === 'follow' ? stat(path) : lstat(path))
  assertOrdinary(path, found)
  return found.size
}

/**
 * Opens an ordinary file for reading; never waits.
 * @throws as {@link ordinaryFileSize}
 */
export async function openOrdinaryFile(path: string, options: OrdinaryFileOptions = {}): Promise<OpenOrdinaryFile> {
  await ordinaryFileSize(path, options)
  // undefined on Windows, which has neither pipes in folders nor links that a name in a folder could be
  const { O_RDONLY, O_NONBLOCK = 0, O_NOFOLLOW = 0 } = constants
  const handle = await onFile(path, open(path, O_RDONLY | O_NONBLOCK | (options.links === 'refuse' ? O_NOFOLLOW : 0)))
  try {
    const found = await onFile(path, handle.stat())
    assertOrdinary(path, found)
    return { handle, size: found.size }
  } catch (error) {
    await handle.close()
    throw error
  }
}

/**
 * The bytes of an ordinary file, in memory that nothing else refers to: zeroing them leaves no copy of ours.
 *
 * @throws FormatError when the file is larger than `maxBytes`, or cut while being read; as {@link ordinaryFileSize}
 * @example
 * ```ts
 * import { readOrdinaryFile } from '@he-ml/ckks-core/node'
 * const bytes = await readOrdinaryFile('package.json', { maxBytes: 2 ** 20, what: 'a manifest' })
 * console.log(bytes.length)
 * ```
 */
export async function readOrdinaryFile(path: string, options: ReadOptions): Promise<Uint8Array> {
  const { handle, size } = await openOrdinaryFile(path, options)
  try {
    assertSize(path, size, options)
    const bytes = new Uint8Array(size)
    try {
      for (let done = 0; done < size; ) {
        const { bytesRead } = await onFile(path, handle.read(bytes, done, Math.min(size - done, CHUNK), done))
        if (bytesRead === 0) throw new FormatError(`${path}: it ended at byte ${done} of ${size}: cut while being read`)
        done += bytesRead
      }
    } catch (error) {
      bytes.fill(0)
      throw error
    }
    return bytes
  } finally {
    await handle.close()
  }
}

/** @throws FormatError for a size above `maxBytes` */
export function assertSize(path: string, size: number, { maxBytes, what = 'the file' }: ReadOptions): void {
  if (size > maxBytes)
    throw new FormatError(`${path}: ${what} has at most ${maxBytes} bytes here, this file has ${size}`)
}
