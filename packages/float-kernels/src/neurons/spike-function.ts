/** The step as arrays see it: spikes for membrane potentials, and the derivative that a trainer uses in its place. */
import type { Reals } from '../reals.ts'
import type { SurrogateGradient } from './surrogate-gradient.ts'

/** Works on whole arrays; `out` may be `charged`. */
export interface SpikeFunction {
  /** Spikes (or soft spikes) for membrane potentials before the reset. */
  spikes(charged: Reals, out: Reals): void
  /** ds/du at the same membrane potentials: exact for smooth functions, a surrogate for the step. */
  derivative(charged: Reals, out: Reals): void
}

/**
 * The exact step: 1 where u >= threshold, else 0. Its derivative is the surrogate's, around the threshold; 0 without one.
 */
export function hardSpike(threshold: number, surrogateGradient?: SurrogateGradient): SpikeFunction {
  return {
    spikes(charged, out) {
      const level = out instanceof Float32Array ? Math.fround(threshold) : threshold
      for (let i = 0; i < out.length; i++) out[i] = charged[i]! >= level ? 1 : 0
    },
    derivative(charged, out) {
      if (!surrogateGradient) out.fill(0)
      else for (let i = 0; i < out.length; i++) out[i] = surrogateGradient(charged[i]! - threshold)
    },
  }
}
