/**
 * Seeded normal deviates for simulations: xoshiro128** (Blackman and Vigna, 2018) and the Box-Muller transform.
 * Reproducible and fast; never a source of cryptographic randomness.
 */
export class GaussianSource {
  readonly #state: Uint32Array
  #spare: number | undefined

  /** @param seed any integer; equal seeds give equal sequences */
  constructor(seed: number) {
    this.#state = new Uint32Array(4)
    let s = seed >>> 0
    for (let i = 0; i < 4; i++) {
      // splitmix32 spreads small seeds over the whole state
      s = (s + 0x9e3779b9) >>> 0
      let z = s
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
      this.#state[i] = (z ^ (z >>> 15)) >>> 0
    }
  }

  /** Uniform in [0, 1). */
  uniform(): number {
    const s = this.#state
    const rotated = Math.imul(s[1]!, 5)
    const result = Math.imul((rotated << 7) | (rotated >>> 25), 9) >>> 0
    const t = s[1]! << 9
    s[2]! ^= s[0]!
    s[3]! ^= s[1]!
    s[1]! ^= s[2]!
    s[0]! ^= s[3]!
    s[2]! ^= t
    s[3] = (s[3]! << 11) | (s[3]! >>> 21)
    return result / 2 ** 32
  }

  /** Normal with mean 0 and standard deviation 1. */
  next(): number {
    if (this.#spare !== undefined) {
      const spare = this.#spare
      this.#spare = undefined
      return spare
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()))
    const angle = 2 * Math.PI * this.uniform()
    this.#spare = radius * Math.sin(angle)
    return radius * Math.cos(angle)
  }
}
