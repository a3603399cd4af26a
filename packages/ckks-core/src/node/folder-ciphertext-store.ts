/**
 * Ciphertexts put away in a folder of their own below the one given: nobody else's files are touched, and the folder is gone when
 * the store is. Each file appears whole or not at all; its SHA-256 is kept in memory and checked on the way back, so that a file
 * that was changed, cut or exchanged for another is never taken for the value. Nothing is flushed to the disk: what is put away
 * is of no use to another process.
 */
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { FormatError } from '../errors/errors.ts'
import { BaseCiphertextStore } from '../port/base-ciphertext-store.ts'
import type { CiphertextStore } from '../port/ciphertext-store.ts'
import type { Engine } from '../port/engine.ts'
import { AtomicFile } from './atomic-file.ts'
import { readOrdinaryFile } from './read-ordinary-file.ts'
import { onFile } from './system-error.ts'

/** Small enough that hashing one does not hold the event loop for long. */
const PIECE = 4 * 2 ** 20

class FolderCiphertextStore extends BaseCiphertextStore {
  readonly #folder: string
  readonly #files = new Map<string, { readonly bytes: number; readonly sha256: string }>()

  constructor(engine: Engine, folder: string) {
    super(engine)
    this.#folder = folder
  }

  protected async put(name: string, bytes: Uint8Array): Promise<void> {
    const path = join(this.#folder, name)
    const hash = createHash('sha256')
    await using file = await AtomicFile.create(path, { mode: 0o600, durable: false })
    for (let at = 0; at < bytes.length; at += PIECE) {
      const piece = bytes.subarray(at, at + PIECE)
      hash.update(piece)
      await file.write(piece)
    }
    await file.commit()
    this.#files.set(name, { bytes: bytes.length, sha256: hash.digest('hex') })
  }

  protected async get(name: string): Promise<Uint8Array> {
    const path = join(this.#folder, name)
    const wanted = this.#files.get(name)
    if (wanted === undefined) throw new FormatError(`${path} is not in the store`)
    const bytes = await readOrdinaryFile(path, { links: 'refuse', maxBytes: wanted.bytes })
    const hash = createHash('sha256')
    for (let at = 0; at < bytes.length; at += PIECE) {
      hash.update(bytes.subarray(at, at + PIECE))
      await new Promise(setImmediate)
    }
    const got = hash.digest('hex')
    if (got !== wanted.sha256)
      throw new FormatError(`${path}: expected the SHA-256 ${wanted.sha256}, got ${got}: the file was changed`)
    return bytes
  }

  protected async remove(name: string): Promise<void> {
    this.#files.delete(name)
    const path = join(this.#folder, name)
    await onFile(path, rm(path, { force: true }))
  }

  protected override async close(): Promise<void> {
    await onFile(this.#folder, rm(this.#folder, { recursive: true, force: true }))
  }
}

/**
 * Opens a store in a new folder inside `folder`, for the owner's eyes only.
 *
 * @throws FileSystemError when the folder cannot be made
 */
export async function openCiphertextFolder(engine: Engine, folder: string): Promise<CiphertextStore> {
  return new FolderCiphertextStore(engine, await onFile(folder, mkdtemp(join(folder, 'spilled-'))))
}
