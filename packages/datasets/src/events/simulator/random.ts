/** A seeded generator: C. Doty-Humphrey's sfc32 (128 bits of state, passes PractRand), seeded by mixing the given numbers. */
export class Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  /** Equal seeds give equal numbers; all of them count, so (seed, index) gives an own sequence to each recording. */
  constructor(...seeds: readonly number[]) {
    this.#a = 0x9e3779b9
    this.#b = 0x243f6a88
    this.#c = 0xb7e15162
    for (const seed of seeds) {
      this.#a ^= seed | 0
      this.#b ^= Math.floor(seed / 2 ** 32) | 0
      for (let i = 0; i < 12; i++) this.#next()
    }
  }

  /** In (0, 1), 32 bits. */
  uniform(): number {
    return (this.#next() + 0.5) / 2 ** 32
  }

  /** Mean 0, variance 1 (Box and Muller). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(this.uniform())) * Math.cos(2 * Math.PI * this.uniform())
  }

  /** Waiting time for the next event of a Poisson process; infinite for rate 0. */
  exponential(rate: number): number {
    return rate > 0 ? -Math.log(this.uniform()) / rate : Number.POSITIVE_INFINITY
  }

  #next(): number {
    const sum = (this.#a + this.#b + this.#counter++) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum >>> 0
  }
}
