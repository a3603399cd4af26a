/**
 * Random numbers that are a function of (seed, counter): any element can be had without those before it, so that a run
 * repeats whatever the order or number of workers. Two rounds of a 32-bit multiply-and-shift mix (the finaliser of
 * MurmurHash3) over the seed and the counter; for coding and simulation, never for keys.
 */
function mix(word: number): number {
  let h = word
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

const GOLDEN = 0x9e3779b9

/** Uniform in [0, 1), 32 bits. `counter` may be any non-negative safe integer. */
export function uniformAt(seed: number, counter: number): number {
  const high = Math.floor(counter / 2 ** 32)
  const start = mix(Math.imul(seed, GOLDEN) ^ mix(high + GOLDEN))
  return mix(start + Math.imul((counter >>> 0) + 1, GOLDEN)) / 2 ** 32
}

/** Standard normal (Box-Muller, one of the pair). */
export function normalAt(seed: number, counter: number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - uniformAt(seed, 2 * counter)))
  return radius * Math.cos(2 * Math.PI * uniformAt(seed, 2 * counter + 1))
}
