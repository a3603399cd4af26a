/**
 * Which keys the compiled engine holds, and whose they are. Asked at every operation that needs a key, so it is kept in tables; the
 * engine itself is asked only after keys came or went.
 */
import {
  type AnyParameters,
  conjugationElement,
  FormatError,
  GALOIS_GENERATOR,
  type KeyNeed,
  type KeyRequest,
  ParameterMismatchError,
} from '@he-ml/ckks-core'
import type { BindingEngine } from '../binding.ts'
import { native } from '../errors.ts'

/** In place of a Galois element: the keys of modRaise. Their own element, of the trivial automorphism. */
export const ENCAPSULATION = 1

/** In place of a Galois element. */
export const RELINEARIZATION = 0

/** @internal */
export class LoadedKeys {
  readonly #parameters: AnyParameters
  readonly #binding: BindingEngine
  readonly #rotations = new Map<number, number>()
  #others: Omit<KeyRequest, 'rotations'> = {}
  #raising: ReadonlySet<number> | undefined
  #request: KeyRequest | undefined
  #stepsOf: ReadonlyMap<number, number> | undefined
  #keyId: string | undefined
  /** Key stores and loads that count on the id. */
  #holders = 0
  #closed = false

  constructor(parameters: AnyParameters, binding: BindingEngine) {
    this.#parameters = parameters
    this.#binding = binding
  }

  get request(): KeyRequest {
    this.#request ??= {
      ...this.#others,
      rotations: [...this.#rotations].sort(([a], [b]) => a - b).map(([steps, level]) => ({ steps, level })),
    }
    return this.#request
  }

  has(need: KeyNeed): boolean {
    const level = need.kind === 'rotation' ? this.#rotations.get(need.steps) : this.#others[need.kind]
    if (level === undefined || level < need.level) return false
    if (need.kind !== 'encapsulation' || need.steps === undefined) return true
    return this.#raising !== undefined && need.steps.every((step) => this.#raising!.has(step))
  }

  /** Name of the secret key behind the keys; undefined before the first, or when its file names none. */
  get keyId(): string | undefined {
    return this.#keyId
  }

  /**
   * Checks that something belongs to the same secret key as the keys loaded before.
   * @throws ParameterMismatchError naming both
   */
  check(keyId: string | undefined, what: string): void {
    if (keyId !== undefined && this.#keyId !== undefined && keyId !== this.#keyId)
      throw new ParameterMismatchError(
        `${what} belongs to secret key ${keyId}, the loaded evaluation keys to ${this.#keyId}: use the keys made with it, or unloadKeys() first`,
      )
  }

  /** The same, and the keys belong to this one until the holder is disposed of, even while none of them is loaded. */
  hold(keyId: string | undefined, what: string): Disposable {
    this.check(keyId, what)
    this.#keyId ??= keyId
    this.#holders++
    let held = true
    return {
      [Symbol.dispose]: () => {
        if (!held) return
        held = false
        this.#holders--
        this.#forgetId()
      },
    }
  }

  /**
   * The most that a key serves; `element` 0 is relinearisation, 1 the keys of modRaise.
   * @param raising of the latter: Galois elements of its rotations
   * @throws FormatError for an element of neither a rotation nor the conjugation
   */
  needOf(element: number, level: number, raising?: readonly number[]): KeyNeed {
    if (element === 0) return { kind: 'relinearization', level }
    if (element === ENCAPSULATION)
      return { kind: 'encapsulation', level, ...(raising ? { steps: this.#raisingSteps(raising) } : {}) }
    if (element === conjugationElement(this.#parameters.logN)) return { kind: 'conjugation', level }
    const steps = this.#steps().get(element)
    if (steps === undefined)
      throw new FormatError(`header.galoisElement: ${element} is neither a rotation's nor the conjugation's`)
    return { kind: 'rotation', steps, level }
  }

  /** Drops the key of an element (see `needOf`). Queued operations keep it. */
  unload(element: number): void {
    if (this.#closed) return
    native(() => this.#binding.unloadKey(element))
    this.refresh()
  }

  unloadAll(): void {
    native(() => this.#binding.unloadKeys())
    this.#holders = 0
    this.refresh()
  }

  /** After the engine's end. */
  close(): void {
    this.#closed = true
    this.#rotations.clear()
    this.#others = {}
    this.#raising = undefined
    this.#request = undefined
  }

  /** Reads the list back from the engine. */
  refresh(): void {
    if (this.#closed) return
    const conjugate = conjugationElement(this.#parameters.logN)
    const encapsulation = this.#binding.encapsulation()
    const raising = encapsulation?.elements && this.#raisingSteps(encapsulation.elements)
    this.#raising = raising && new Set(raising)
    this.#rotations.clear()
    let relinearization: number | undefined
    let conjugation: number | undefined
    for (const { element, level } of this.#binding.keyLevels()) {
      if (element === 0) relinearization = level
      else if (element === conjugate) conjugation = level
      else this.#rotations.set(this.#steps().get(element)!, level)
    }
    this.#others = {
      ...(relinearization === undefined ? {} : { relinearization }),
      ...(conjugation === undefined ? {} : { conjugation }),
      ...(encapsulation === undefined ? {} : { encapsulation: encapsulation.level }),
      ...(raising === undefined ? {} : { raising }),
    }
    this.#request = undefined
    this.#forgetId()
  }

  #forgetId(): void {
    if (this.#holders === 0 && this.#rotations.size === 0 && Object.keys(this.#others).length === 0)
      this.#keyId = undefined
  }

  #raisingSteps(elements: readonly number[]): number[] {
    return elements
      .map((element) => {
        const steps = this.#steps().get(element)
        if (steps === undefined) throw new FormatError(`header.raising: ${element} is no rotation's Galois element`)
        return steps
      })
      .sort((a, b) => a - b)
  }

  #steps(): ReadonlyMap<number, number> {
    if (this.#stepsOf) return this.#stepsOf
    const { maxSlots, ringDegree } = this.#parameters
    const table = new Map<number, number>()
    for (let steps = 0, power = 1; steps < maxSlots; steps++, power = (power * GALOIS_GENERATOR) % (2 * ringDegree))
      table.set(power, steps)
    this.#stepsOf = table
    return table
  }
}
