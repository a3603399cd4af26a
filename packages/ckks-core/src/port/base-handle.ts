import { DisposedError, ParameterMismatchError } from '../errors/errors.ts'
import type { Ciphertext, Plaintext } from './handles.ts'

/** What an operation knows of its result before computing it. */
export interface CiphertextMeta {
  /** Level of the result. */
  readonly level: number
  /** Scale of the result. */
  readonly scale: number
  /** Period of the result. */
  readonly slots: number
  /** 2 for a product that is not relinearised. */
  readonly degree: 1 | 2
}

/** What an engine knows of a plaintext before encoding it. */
export interface PlaintextMeta {
  /** Highest level it can be used at. */
  readonly level: number
  /** Scale of the encoded values. */
  readonly scale: number
  /** Period of the values. */
  readonly slots: number
  /** Whether the special primes' limbs are made too. */
  readonly extended: boolean
  /** Whether limbs may be made at each use instead of kept. */
  readonly deferred: boolean
}

abstract class BaseHandle<Meta extends { level: number; scale: number; slots: number }> {
  readonly owner: object
  /** Rescalings that are left; of plaintexts, the highest level they can be used at. */
  readonly level: number
  /** The fixed-point factor, carried exactly. */
  readonly scale: number
  readonly slots: number
  #disposed = false

  constructor(owner: object, meta: Meta) {
    this.owner = owner
    this.level = meta.level
    this.scale = meta.scale
    this.slots = meta.slots
  }
  get disposed(): boolean {
    return this.#disposed
  }
  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    this.release()
  }
  /** As `dispose`. */
  [Symbol.dispose](): void {
    this.dispose()
  }
  /** Throws unless alive and of this engine. */
  check(owner: object, operation: string): void {
    if (this.#disposed) throw new DisposedError(`${operation}: an operand was disposed of before`)
    if (this.owner !== owner)
      throw new ParameterMismatchError(`${operation}: an operand belongs to another engine instance`)
  }
  /** Gives back what the handle holds; called once. */
  protected abstract release(): void
}

export abstract class BaseCiphertext extends BaseHandle<CiphertextMeta> implements Ciphertext {
  readonly degree: 1 | 2
  constructor(owner: object, meta: CiphertextMeta) {
    super(owner, meta)
    this.degree = meta.degree
  }
  abstract ready(): Promise<void>
}

export abstract class BasePlaintext extends BaseHandle<PlaintextMeta> implements Plaintext {
  readonly extended: boolean
  readonly deferred: boolean
  constructor(owner: object, meta: PlaintextMeta) {
    super(owner, meta)
    this.extended = meta.extended
    this.deferred = meta.deferred
  }
}
