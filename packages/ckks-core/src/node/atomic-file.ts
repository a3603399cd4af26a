/**
 * A file that appears whole or not at all: written under a temporary name in the same folder, flushed to the disk, then
 * renamed. Whatever fails in between (a full disk, a signal, a bug) removes the temporary file and leaves an older file of
 * that name untouched.
 */
import { randomBytes } from 'node:crypto'
import { type FileHandle, link, open, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { FileSystemError } from '../errors/errors.ts'
import { systemError } from './system-error.ts'

/** How to create a file. */
export interface WriteOptions {
  /** Permission bits; default 0o644. Use 0o600 for secret keys. */
  readonly mode?: number
  /** false: fail with EEXIST where something of that name is, or comes to be before the commit. Default true. */
  readonly overwrite?: boolean
  /** false: whole or absent as long as the system runs, but not flushed to the disk. Default true. */
  readonly durable?: boolean
}

/** See {@link writeFileAtomic} for whole contents at once. */
export class AtomicFile implements AsyncDisposable {
  /** Where the content appears when it is whole. */
  readonly path: string
  readonly #temporary: string
  readonly #handle: FileHandle
  readonly #overwrite: boolean
  readonly #durable: boolean
  #open = true
  #written = 0

  private constructor(path: string, temporary: string, handle: FileHandle, options: WriteOptions) {
    this.path = path
    this.#temporary = temporary
    this.#handle = handle
    this.#overwrite = options.overwrite ?? true
    this.#durable = options.durable ?? true
  }

  /**
   * Starts a file; nothing is visible under `path` before `commit`.
   * @throws FileSystemError where it cannot be made, or where something else than a file is
   */
  static async create(path: string, options: WriteOptions = {}): Promise<AtomicFile> {
    const { mode = 0o644 } = options
    await assertReplaceable(path)
    const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`)
    const handle = await open(temporary, 'wx', mode).catch((error: unknown) => {
      throw systemError(error, path)
    })
    const file = new AtomicFile(path, temporary, handle, options)
    try {
      // the process's umask may have taken bits away
      await handle.chmod(mode)
    } catch (error) {
      await file.abort()
      throw systemError(error, path)
    }
    return file
  }

  /** Bytes written so far. */
  get written(): number {
    return this.#written
  }

  /** Appends. A failure aborts the file. */
  async write(bytes: Uint8Array): Promise<void> {
    try {
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await this.#handle.write(bytes, done, Math.min(bytes.length - done, 2 ** 28))
        done += bytesWritten
      }
      this.#written += bytes.length
    } catch (error) {
      await this.abort()
      throw systemError(error, this.path)
    }
  }

  /** Flushes and gives the file its name. A failure aborts the file. */
  async commit(): Promise<void> {
    try {
      if (this.#durable) await this.#handle.sync()
      await this.#handle.close()
      if (this.#overwrite) await rename(this.#temporary, this.path)
      else await claim(this.#temporary, this.path)
      this.#open = false
    } catch (error) {
      await this.abort()
      throw systemError(error, this.path)
    }
    if (this.#durable) await syncFolder(dirname(this.path))
  }

  /** Gives up; harmless after `commit`. */
  async abort(): Promise<void> {
    if (!this.#open) return
    this.#open = false
    await this.#handle.close().catch(() => {})
    await rm(this.#temporary, { force: true })
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.abort()
  }
}

/**
 * A file takes the place of a file alone: a device, a pipe or a socket would be gone.
 * @throws FileSystemError ('EISDIR', 'EEXIST')
 */
export async function assertReplaceable(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (!found || found.isFile()) return
  if (found.isDirectory()) throw new FileSystemError(path, 'EISDIR', 'is a folder: name a file')
  throw new FileSystemError(path, 'EEXIST', 'is a device, a pipe or a socket, which a file would replace: name a file')
}

/** Gives a file a name that nothing has: a link fails where a rename would replace. */
async function claim(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path)
  } catch (error) {
    if (!NO_LINKS.has((error as NodeJS.ErrnoException).code ?? '')) throw error
    // a file system without hard links: an empty file takes the name first
    await (await open(path, 'wx')).close()
    await rename(temporary, path)
    return
  }
  await rm(temporary, { force: true })
}

const NO_LINKS = new Set(['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP'])

/** Makes the rename itself durable where the system can (Windows cannot open folders). */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined)
  await handle?.sync().catch(() => {})
  await handle?.close().catch(() => {})
}

/**
 * Writes a file whole or not at all.
 *
 * @throws FileSystemError naming `path`; the temporary file is then gone and an older file untouched
 */
export async function writeFileAtomic(path: string, bytes: Uint8Array, options: WriteOptions = {}): Promise<void> {
  const file = await AtomicFile.create(path, options)
  await file.write(bytes)
  await file.commit()
}
