/** Evaluation keys in SEAL's heap, and which needs they serve. SEAL's keys are always for the top level. */
import {
  type AnyParameters,
  conjugationElement,
  FormatError,
  type KeyNeed,
  type KeyRequest,
  keyLimbs,
  MemoryError,
} from '@he-ml/ckks-core'
import type { SealContext, SealGaloisKeys, SealRelinearizationKey } from '../backend/backend.ts'
import { attempt } from '../backend/errors.ts'
import { sealGaloisElement } from '../parameters.ts'
import { checkSwitchingKeyBytes, type SealShape } from '../seal-bytes.ts'
import type { SealMemory } from '../seal-memory.ts'

/** What is left of 4 GB beside contexts and working memory. */
export const KEY_HEAP = 3.4e9

/** Bytes of one key in the heap; all are for the top level. */
export const sealKeyBytes = (parameters: AnyParameters): number =>
  keyLimbs(parameters, parameters.maxLevel) * parameters.ringDegree * 8

/** Rotation keys that fit: 15 at N = 2^15 with 21 primes. */
export function maxRotationKeys(parameters: AnyParameters): number {
  return Math.floor(KEY_HEAP / sealKeyBytes(parameters))
}

export class SealKeys {
  readonly #context: SealContext
  readonly #parameters: AnyParameters
  readonly #memory: SealMemory
  readonly #shape: SealShape
  readonly #galois = new Map<number, SealGaloisKeys>()
  readonly #freeGalois = new Map<SealGaloisKeys, () => void>()
  #stepsOf: Map<number, number> | undefined
  #relinearization: SealRelinearizationKey | undefined
  #freeRelinearization: (() => void) | undefined
  #request: KeyRequest = { rotations: [] }

  constructor(context: SealContext, parameters: AnyParameters, memory: SealMemory, shape: SealShape) {
    this.#context = context
    this.#parameters = parameters
    this.#memory = memory
    this.#shape = shape
  }

  get request(): KeyRequest {
    return this.#request
  }
  get relinearization(): SealRelinearizationKey | undefined {
    return this.#relinearization
  }
  /** The object that holds the key of an element. */
  galois(element: number): SealGaloisKeys | undefined {
    return this.#galois.get(element)
  }

  /** @throws FormatError for anything but relinearisation keys of these parameters */
  loadRelinearization(bytes: Uint8Array): void {
    checkSwitchingKeyBytes(bytes, this.#shape, 'relinearisation key')
    const key = attempt('relinearisation key', () => this.#context.loadRelinearizationKey(bytes), 'load')
    this.#freeRelinearization?.()
    this.#relinearization = key
    this.#freeRelinearization = this.#memory.book('keys', key, this.#limbs())
    this.#refresh()
  }

  /**
   * One or several Galois keys.
   * @param wanted the only element that there may be
   * @throws FormatError; MemoryError above maxRotationKeys
   */
  loadGalois(bytes: Uint8Array, wanted?: number): void {
    const elements = checkSwitchingKeyBytes(bytes, this.#shape, 'Galois keys').map((place) => 2 * place + 1)
    for (const element of elements) this.needOf(element)
    if (wanted !== undefined && (elements.length !== 1 || elements[0] !== wanted))
      throw new FormatError(`Galois keys: expected the key of element ${wanted} alone, got ${elements.join(', ')}`)
    const most = maxRotationKeys(this.#parameters)
    const total = new Set([...this.#galois.keys(), ...elements]).size
    if (total > most)
      throw new MemoryError(
        `Galois keys: ${total} keys do not fit SEAL's 4 GB heap, at most ${most} at these parameters: use fewer rotations or the native engine`,
      )
    const keys = attempt('Galois keys', () => this.#context.loadGaloisKeys(bytes), 'load')
    const before = new Set(this.#galois.values())
    for (const element of elements) this.#galois.set(element, keys)
    this.#freeGalois.set(keys, this.#memory.book('keys', keys, elements.length * this.#limbs()))
    // an object all of whose keys were loaded again serves nobody
    this.#freeUnused(before)
    this.#refresh()
  }

  /** Gives a key back; harmless for one that is not there. @param element undefined for relinearisation */
  unload(element: number | undefined): void {
    if (element === undefined) {
      this.#freeRelinearization?.()
      this.#freeRelinearization = undefined
      this.#relinearization = undefined
    } else {
      const keys = this.#galois.get(element)
      this.#galois.delete(element)
      if (keys) this.#freeUnused([keys])
    }
    this.#refresh()
  }

  /** What the key of an element serves. @throws FormatError for an element of neither a rotation nor the conjugation */
  needOf(element: number): KeyNeed {
    const steps = this.#steps().get(element)
    const level = this.#parameters.maxLevel
    if (steps === undefined)
      throw new FormatError(`Galois keys: element ${element} is neither a rotation of the slots nor conjugation`)
    return steps < 0 ? { kind: 'conjugation', level } : { kind: 'rotation', steps, level }
  }

  #freeUnused(objects: Iterable<SealGaloisKeys>): void {
    const used = new Set(this.#galois.values())
    for (const keys of objects) {
      if (used.has(keys)) continue
      this.#freeGalois.get(keys)?.()
      this.#freeGalois.delete(keys)
    }
  }

  /** Steps by Galois element; conjugation has -1. */
  #steps(): Map<number, number> {
    if (this.#stepsOf) return this.#stepsOf
    const { logN, maxSlots } = this.#parameters
    const steps = new Map([[conjugationElement(logN), -1]])
    for (let s = 1, e = sealGaloisElement(1, logN); s < maxSlots; s++, e = (e * 3) % 2 ** (logN + 1)) steps.set(e, s)
    this.#stepsOf = steps
    return steps
  }

  #refresh(): void {
    const level = this.#parameters.maxLevel
    const steps = [...this.#galois.keys()].map((e) => this.#steps().get(e)!)
    const rotations = steps.filter((s) => s > 0).sort((a, b) => a - b)
    this.#request = {
      ...(this.#relinearization ? { relinearization: level } : {}),
      rotations: rotations.map((s) => ({ steps: s, level })),
      ...(steps.includes(-1) ? { conjugation: level } : {}),
    }
  }

  #limbs(): number {
    return keyLimbs(this.#parameters, this.#parameters.maxLevel)
  }
}
