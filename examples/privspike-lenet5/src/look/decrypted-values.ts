/** The values of a run, whole, for one of its inputs. */
import type { DecryptedValue } from '@he-ml/session/diff'

/** What one value held, and what it should hold by the functions that are evaluated under encryption; in the units of the model. */
export interface Seen {
  readonly encrypted: Float64Array
  readonly clear: Float64Array
}

/** Takes values as `diffRun` hands them over, in parts where they are cut; after a refresh a value is what it is then. */
export class DecryptedValues {
  readonly #image: number
  readonly #seen = new Map<string, Seen>()

  /** @param image of the batch */
  constructor(image = 0) {
    this.#image = image
  }

  add({ value, encrypted, clear }: DecryptedValue): void {
    const { data } = encrypted[this.#image]!
    const before = this.#seen.get(value)?.encrypted
    const merged = data.map((x, i) => (Number.isNaN(x) && before ? before[i]! : x))
    this.#seen.set(value, { encrypted: merged, clear: clear[this.#image]!.data })
  }

  /** Undefined for values that nobody reads, which were not handed over. */
  get(value: string | undefined): Seen | undefined {
    return value === undefined ? undefined : this.#seen.get(value)
  }
}
