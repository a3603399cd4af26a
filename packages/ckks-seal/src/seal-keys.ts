/** Evaluation keys in SEAL's heap, and which needs they serve. SEAL's keys are always for the top level. */
import {
  type AnyParameters,
  conjugationElement,
  FormatError,
  type KeyRequest,
  keyLimbs,
  MemoryError,
} from '@he-ml/ckks-core'
import type { SealContext, SealGaloisKeys, SealRelinearizationKey } from './backend/backend.ts'
import { attempt } from './backend/errors.ts'
import { sealGaloisElement } from './parameters.ts'
import { singleBlob } from './seal-bytes.ts'
import type { SealMemory } from './seal-memory.ts'

/** What is left of 4 GB beside contexts and working memory. */
const KEY_HEAP = 3.4e9

/** Rotation keys that fit: 15 at N = 2^15 with 21 primes. */
export function maxRotationKeys(parameters: AnyParameters): number {
  return Math.floor(KEY_HEAP / (keyLimbs(parameters, parameters.maxLevel) * parameters.ringDegree * 8))
}

export class SealKeys {
  readonly #context: SealContext
  readonly #parameters: AnyParameters
  readonly #memory: SealMemory
  readonly #galois = new Map<number, SealGaloisKeys>()
  #stepsOf: Map<number, number> | undefined
  #relinearization: SealRelinearizationKey | undefined
  #request: KeyRequest = { rotations: [] }

  constructor(context: SealContext, parameters: AnyParameters, memory: SealMemory) {
    this.#context = context
    this.#parameters = parameters
    this.#memory = memory
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
    const blob = singleBlob(bytes, this.#maxBytes(1), 'relinearisation key')
    const key = attempt('relinearisation key', () => this.#context.loadRelinearizationKey(blob), 'load')
    if (!attempt('relinearisation key', () => this.#context.hasRelinearizationKey(key))) {
      key.delete()
      throw new FormatError('relinearisation key: the file holds none')
    }
    this.#relinearization?.delete()
    this.#relinearization = key
    this.#memory.book('keys', key, this.#limbs())
    this.#refresh()
  }

  /** One or several Galois keys. @throws FormatError; MemoryError above maxRotationKeys */
  loadGalois(bytes: Uint8Array): void {
    const most = maxRotationKeys(this.#parameters)
    const blob = singleBlob(bytes, this.#maxBytes(most), 'Galois keys')
    const keys = attempt('Galois keys', () => this.#context.loadGaloisKeys(blob), 'load')
    const elements = this.#elements(keys)
    const total = new Set([...this.#galois.keys(), ...elements]).size
    if (elements.length === 0 || total > most) {
      keys.delete()
      if (elements.length === 0) throw new FormatError('Galois keys: the file holds no rotation or conjugation key')
      throw new MemoryError(
        `Galois keys: ${total} keys do not fit SEAL's 4 GB heap, at most ${most} at these parameters: use fewer rotations or the native engine`,
      )
    }
    for (const element of elements) this.#galois.set(element, keys)
    this.#memory.book('keys', keys, elements.length * this.#limbs())
    this.#refresh()
  }

  #elements(keys: SealGaloisKeys): number[] {
    const count = this.#context.countGaloisKeys(keys)
    const found: number[] = []
    for (const element of this.#steps().keys()) {
      if (found.length === count) break
      if (this.#context.hasGaloisKey(keys, element)) found.push(element)
    }
    return found
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
  /** An uncompressed, unseeded file of `count` keys, with room for headers. */
  #maxBytes(count: number): number {
    const { ringDegree } = this.#parameters
    return count * (this.#limbs() * ringDegree * 8 + 4096 * (this.#parameters.maxLevel + 1)) + 64 * ringDegree
  }
}
