/** Decrypted slots against what they should be. */
import type { Tensor } from '@he-ml/model'
import { type Place, readSlots } from './read-slots.ts'

/** An element that is wrong by more than any other. */
export interface WorstElement {
  /** Image of the batch. */
  readonly image: number
  /** One number for each dimension of the tensor. */
  readonly index: readonly number[]
  /** Its value decrypted. */
  readonly encrypted: number
  /** Its value in the clear. */
  readonly clear: number
}

export interface Comparison {
  /** Root mean square of the differences. */
  readonly error: number
  /** Largest magnitude in the clear. */
  readonly largest: number
  readonly worst: WorstElement
}

/**
 * Compares a value, or the part of a tensor that it holds, element by element; gaps and images that are not there do not count.
 *
 * @param slots one vector for each ciphertext of the value; longer ones repeat
 * @param clear the whole tensor, for each image
 * @returns undefined where the part holds no element
 */
export function compareSlots(
  place: Place,
  slots: readonly Float64Array[],
  clear: readonly Tensor[],
): Comparison | undefined {
  let squares = 0
  let count = 0
  let largest = 0
  let worst: { readonly image: number; readonly element: number; readonly encrypted: number } | undefined
  let most = -1
  readSlots(place, slots, clear.length, (image, element, encrypted) => {
    const wanted = clear[image]!.data[element]!
    const difference = Math.abs(encrypted - wanted)
    squares += difference ** 2
    count++
    largest = Math.max(largest, Math.abs(wanted))
    // what is not a number is worst of all
    if (difference > most || Number.isNaN(difference)) {
      most = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference
      worst = { image, element, encrypted }
    }
  })
  if (worst === undefined) return undefined
  const { image, element, encrypted } = worst
  const { shape, data } = clear[image]!
  return {
    error: Math.sqrt(squares / count),
    largest,
    worst: { image, index: indexOf(shape, element), encrypted, clear: data[element]! },
  }
}

/** Row-major. */
function indexOf(shape: readonly number[], element: number): number[] {
  const index: number[] = []
  let rest = element
  for (const size of [...shape].reverse()) {
    index.unshift(rest % size)
    rest = Math.floor(rest / size)
  }
  return index
}
