/**
 * Spilling through an engine's own files, whatever keeps the bytes. A subclass only puts, gets and removes; names are the store's
 * own. Two ciphertexts are on their way at a time: one is exported while the other is written.
 */
import { CancelledError, DisposedError, InvalidArgumentError } from '../errors/errors.ts'
import type { CiphertextStore, SpilledCiphertexts } from './ciphertext-store.ts'
import type { Engine } from './engine.ts'
import type { Ciphertext } from './handles.ts'

const SIDE_BY_SIDE = 2

interface Piece {
  readonly name: string
  readonly bytes: number
  /** What the engine's format may not say. */
  readonly slots: number
}

class Spilled implements SpilledCiphertexts {
  readonly pieces: readonly Piece[]
  constructor(pieces: readonly Piece[]) {
    this.pieces = pieces
  }
  get count(): number {
    return this.pieces.length
  }
  get bytes(): number {
    return this.pieces.reduce((sum, piece) => sum + piece.bytes, 0)
  }
}

interface Options {
  readonly signal?: AbortSignal
}

export abstract class BaseCiphertextStore implements CiphertextStore {
  readonly #engine: Engine
  readonly #kept = new Set<Spilled>()
  #names = 0
  #closed = false

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** Whole or not at all. */
  protected abstract put(name: string, bytes: Uint8Array): Promise<void>
  /** What was put, unharmed. @throws FormatError when it is not that any more */
  protected abstract get(name: string): Promise<Uint8Array>
  /** Harmless for a name that is not there. */
  protected abstract remove(name: string): Promise<void>
  /** After everything has been removed. */
  protected async close(): Promise<void> {}

  get bytes(): number {
    let sum = 0
    for (const spilled of this.#kept) sum += spilled.bytes
    return sum
  }

  async spill(ciphertexts: readonly Ciphertext[], options: Options = {}): Promise<SpilledCiphertexts> {
    this.#assertOpen('spill')
    const pieces: Piece[] = ciphertexts.map(({ slots }) => ({ name: `${this.#names++}.ct`, bytes: 0, slots }))
    try {
      const written = await sideBySide(pieces, options.signal, 'spill', async (piece, i) => {
        const bytes = await this.#engine.exportCiphertext(ciphertexts[i]!)
        await this.put(piece.name, bytes)
        return { ...piece, bytes: bytes.length }
      })
      this.#assertOpen('spill')
      const spilled = new Spilled(written)
      this.#kept.add(spilled)
      return spilled
    } catch (error) {
      await this.#removeAll(pieces)
      throw error
    }
  }

  async restore(spilled: SpilledCiphertexts, options: Options = {}): Promise<Ciphertext[]> {
    this.#assertOpen('restore')
    if (!(spilled instanceof Spilled && this.#kept.has(spilled)))
      throw new InvalidArgumentError('restore: these ciphertexts were dropped before, or spilled to another store')
    const made: Ciphertext[] = []
    try {
      return await sideBySide(spilled.pieces, options.signal, 'restore', async ({ name, slots }) => {
        const ciphertext = await this.#engine.importCiphertext(await this.get(name), { slots })
        made.push(ciphertext)
        return ciphertext
      })
    } catch (error) {
      for (const ciphertext of made) ciphertext.dispose()
      throw error
    }
  }

  async drop(spilled: SpilledCiphertexts): Promise<void> {
    if (!(spilled instanceof Spilled && this.#kept.delete(spilled))) return
    await this.#removeAll(spilled.pieces)
  }

  async dispose(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const spilled of [...this.#kept]) await this.drop(spilled)
    await this.close()
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }

  async #removeAll(pieces: readonly Piece[]): Promise<void> {
    for (const { name } of pieces) await this.remove(name)
  }
  #assertOpen(operation: string): void {
    if (this.#closed) throw new DisposedError(`${operation}: the ciphertext store was disposed of before`)
  }
}

/** Works on all items, a few at a time; all that was begun has ended when it returns or throws the first failure. */
async function sideBySide<T, R>(
  items: readonly T[],
  signal: AbortSignal | undefined,
  operation: string,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  const failures: unknown[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < items.length && failures.length === 0) {
      const index = next++
      try {
        if (signal?.aborted)
          throw new CancelledError(`${operation}: cancelled after ${index} of ${items.length}`, {
            cause: signal.reason,
          })
        results[index] = await work(items[index]!, index)
      } catch (error) {
        failures.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, worker))
  if (failures.length > 0) throw failures[0]
  return results
}
