/**
 * Seeded random numbers for training. Everything random in a run (initial weights, shuffles, augmentation, dropout) is a
 * function of one seed, a purpose and a counter such as the epoch or the step, so that a resumed run draws what the unbroken
 * one would have drawn. Not for keys.
 */
import { uniformAt } from '@he-ml/snn-neurons'

/** A sequence of draws; `counter` is all of its state. */
export class RandomStream {
  /** What all draws follow from, with their number. */
  readonly seed: number
  #counter: number

  constructor(seed: number, counter = 0) {
    this.seed = seed
    this.#counter = counter
  }

  /** Number of draws so far. */
  get counter(): number {
    return this.#counter
  }

  /** Uniform in [0, 1). */
  uniform(): number {
    return uniformAt(this.seed, this.#counter++)
  }

  /** Uniform integer in [0, bound), bound <= 2^32 (bias below bound / 2^32). */
  below(bound: number): number {
    return Math.floor(this.uniform() * bound)
  }

  /** Standard normal, by Box and Muller; two draws. */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()))
    return radius * Math.cos(2 * Math.PI * this.uniform())
  }
}

/** A 32-bit seed for one purpose, from the run's seed: FNV-1a over the purpose and its numbers. */
export function deriveSeed(seed: number, ...purpose: readonly (string | number)[]): number {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(JSON.stringify([seed, ...purpose])))
    hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}

/** 0 .. count - 1 in random order (Fisher and Yates). */
export function permutation(count: number, random: RandomStream): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i)
  for (let i = count - 1; i > 0; i--) {
    const j = random.below(i + 1)
    const swapped = order[i]!
    order[i] = order[j]!
    order[j] = swapped
  }
  return order
}
