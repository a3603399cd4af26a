/**
 * Arrays of a network's passes, used again by later passes instead of left to the garbage collector: a training step needs the
 * same sizes every time. They come with whatever they held before.
 */
import type { Reals } from '@he-ml/snn-neurons'
import { type Precision, zeros } from './signal.ts'

/** Passes during which an array may lie unused before it is let go. */
const PATIENCE = 2

interface Free<A> {
  readonly array: A
  /** The pass that handed it back. */
  readonly since: number
}

/** Free arrays by length; the last one handed back is the first to be used again, as it may still be in a cache. */
class FreeArrays<A extends { readonly length: number }> {
  readonly #make: (length: number) => A
  readonly #byLength = new Map<number, Free<A>[]>()

  constructor(make: (length: number) => A) {
    this.#make = make
  }

  get count(): number {
    return [...this.#byLength.values()].reduce((sum, list) => sum + list.length, 0)
  }

  take(length: number): A {
    return this.#byLength.get(length)?.pop()?.array ?? this.#make(length)
  }

  put(array: A, since: number): void {
    const list = this.#byLength.get(array.length)
    if (list) list.push({ array, since })
    else this.#byLength.set(array.length, [{ array, since }])
  }

  /** Forgets what was handed back before `oldest`. */
  trim(oldest: number): void {
    for (const [length, list] of this.#byLength) {
      const kept = list.filter(({ since }) => since >= oldest)
      if (kept.length === 0) this.#byLength.delete(length)
      else if (kept.length < list.length) this.#byLength.set(length, kept)
    }
  }
}

/** The arrays of one pass. A pass that failed is simply dropped: threads may still be at work on its arrays. */
export interface Lease {
  /** An array in the workspace's precision. Its contents are arbitrary: overwrite all of it. */
  allocate(length: number): Reals
  /** The same for indices. */
  allocateIndices(length: number): Uint32Array
  /** Hands one array back early; arrays from elsewhere are left alone. */
  release(array: Reals): void
  /** The array is the user's from now on. */
  keep(array: Reals): void
  /** Hands everything back. */
  end(): void
}

/** See {@link Lease}. Any number of passes may hold arrays at once. */
export class Workspace {
  readonly #values: FreeArrays<Reals>
  readonly #indices = new FreeArrays<Uint32Array>((length) => new Uint32Array(length))
  #passes = 0

  constructor(precision: Precision) {
    this.#values = new FreeArrays((length) => zeros(precision, length))
  }

  /** Arrays that wait to be used again. */
  get free(): number {
    return this.#values.count + this.#indices.count
  }

  /** Starts a pass, and lets go what the last few did not use. */
  begin(): Lease {
    this.#passes++
    for (const arrays of [this.#values, this.#indices]) arrays.trim(this.#passes - PATIENCE)
    const values = new Set<Reals>()
    const indices = new Set<Uint32Array>()
    const release = (array: Reals) => {
      if (values.delete(array)) this.#values.put(array, this.#passes)
    }
    return {
      allocate: (length) => {
        const array = this.#values.take(length)
        values.add(array)
        return array
      },
      allocateIndices: (length) => {
        const array = this.#indices.take(length)
        indices.add(array)
        return array
      },
      release,
      keep: (array) => void values.delete(array),
      end: () => {
        for (const array of values) release(array)
        for (const array of indices) this.#indices.put(array, this.#passes)
        indices.clear()
      },
    }
  }
}
