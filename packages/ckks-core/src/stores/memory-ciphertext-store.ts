import { FormatError } from '../errors/errors.ts'
import { BaseCiphertextStore } from '../port/base-ciphertext-store.ts'

/** See {@link createMemoryCiphertextStore}. */
export class MemoryCiphertextStore extends BaseCiphertextStore {
  readonly #files = new Map<string, Uint8Array>()

  protected async put(name: string, bytes: Uint8Array): Promise<void> {
    this.#files.set(name, bytes)
  }
  protected async get(name: string): Promise<Uint8Array> {
    const bytes = this.#files.get(name)
    if (bytes === undefined) throw new FormatError(`restore: ${name} is not in the store`)
    return bytes
  }
  protected async remove(name: string): Promise<void> {
    this.#files.delete(name)
  }
}
