/** A key set that can be given to a server: listed first, with sizes and hashes, and read one key at a time as the server asks. */
import type { KeyFileEntry } from '../format/header.ts'
import type { KeyFile } from './client-engine.ts'

/** A key set as its owner offers it. */
export interface KeyOffer {
  /** Name of the secret key that they belong to. */
  readonly keyId: string
  /** What there is: kinds, levels, sizes and hashes. */
  readonly entries: readonly KeyFileEntry[]
  /** The file of an entry, of the listed size. Whoever takes it compares the hash. */
  read(entry: KeyFileEntry): Promise<Uint8Array>
}

/** Keys in memory, all at once: for small sets and processes without a disk. */
export function offerKeyFiles(files: readonly KeyFile[], keyId: string): KeyOffer {
  const bytesOf = new Map(files.map(({ name, bytes }) => [name, bytes]))
  return { keyId, entries: files.map(keyFileEntry), read: async ({ file }) => bytesOf.get(file)! }
}

/** What a manifest says of a key. */
export function keyFileEntry({ name, kind, level, galoisElement, raising, bytes, sha256 }: KeyFile): KeyFileEntry {
  return {
    file: name,
    kind,
    level,
    ...(galoisElement === undefined ? {} : { galoisElement }),
    ...(raising === undefined ? {} : { raising }),
    bytes: bytes.length,
    sha256,
  }
}
