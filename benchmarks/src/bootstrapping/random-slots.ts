import type { ComplexSlots } from './accuracy.ts'

/** Uniform in [0, 1) from a 32-bit seed (mulberry32): a run can be repeated. */
export function randomSource(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Values uniform in the unit disc; real ones uniform in [-1, 1]. */
export function randomSlots(slots: number, content: 'complex' | 'real', random: () => number): ComplexSlots {
  const re = new Float64Array(slots)
  const im = new Float64Array(slots)
  for (let i = 0; i < slots; i++) {
    if (content === 'real') {
      re[i] = 2 * random() - 1
      continue
    }
    const radius = Math.sqrt(random())
    const angle = 2 * Math.PI * random()
    re[i] = radius * Math.cos(angle)
    im[i] = radius * Math.sin(angle)
  }
  return { re, im }
}
