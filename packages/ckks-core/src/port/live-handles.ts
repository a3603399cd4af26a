import type { AnyParameters } from '../parameters/parameters.ts'
import type { EngineMemory } from './engine.ts'
import type { Ciphertext, Plaintext } from './handles.ts'

type Handle = Ciphertext | Plaintext

/** Bytes of handles that live, from their shapes: 8 a residue. Forgets what was disposed of as it goes. */
export class LiveHandles {
  readonly #parameters: AnyParameters
  #handles: Handle[] = []
  #live = 0
  #peak = 0

  constructor(parameters: AnyParameters) {
    this.#parameters = parameters
  }

  add(handle: Handle): void {
    this.#handles.push(handle)
    // so that sorting out costs a constant share of what is added
    if (this.#handles.length > 2 * this.#live + 64) this.memory()
  }

  /** The peak is that of the moments at which it was looked at. */
  memory(): EngineMemory {
    this.#handles = this.#handles.filter((handle) => !handle.disposed)
    this.#live = this.#handles.length
    let ciphertexts = 0
    let plaintexts = 0
    for (const handle of this.#handles) {
      if ('degree' in handle) ciphertexts += (handle.degree + 1) * this.#limbBytes(handle)
      else plaintexts += this.#limbBytes(handle)
    }
    const total = ciphertexts + plaintexts
    this.#peak = Math.max(this.#peak, total)
    return { ciphertexts, plaintexts, keys: 0, scratch: 0, total, peak: this.#peak }
  }

  #limbBytes({ level }: Handle): number {
    return this.#parameters.limbsAt(level) * this.#parameters.ringDegree * 8
  }
}
