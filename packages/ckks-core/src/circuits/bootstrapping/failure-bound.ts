/**
 * How likely a bootstrap is to fail. Two things could go wrong. modRaise could add a multiple of q0 beyond the range of the
 * sine: with balanced residues it cannot, for |c0 + c1 s| <= q0 (1 + weight) / 2 always. And the sine's polynomial could be
 * too far off at a multiple that does occur: its weights let errors grow for arguments beyond 10 (cosine-series.ts), so the
 * probability of every argument counts whose error, times the gain, exceeds the tolerance.
 */
import { EPHEMERAL_WEIGHT, RAISE_BOUND } from '../../parameters/ephemeral.ts'
import type { BootstrappingSpec } from './bootstrapping-spec.ts'
import { ANGLE_BOUND, ANGLE_SHIFT, angle, createEvalMod, evalModAt } from './eval-mod.ts'

/** An error of this size relative to the range is a failure. */
export const FAILURE_TOLERANCE = 2 ** -8

/** Union bound over all coefficients of one bootstrap. */
export function failureBound(ringDegree: number, spec: BootstrappingSpec): number {
  const safe = safeMultiple(spec)
  return Math.min(1, ringDegree * tailBound(safe + 0.5))
}

/** Largest n such that all multiples up to n in absolute value come out right within the tolerance. */
export function safeMultiple(spec: BootstrappingSpec): number {
  const evalMod = createEvalMod(spec, 1)
  for (let n = 0; n <= Math.floor(ANGLE_BOUND); n++) {
    for (const multiple of [n, -n]) {
      for (const message of [-1, 0, 1]) {
        const t = angle(spec, multiple, message)
        // what can never occur
        if (Math.abs(t * ANGLE_BOUND + ANGLE_SHIFT) > RAISE_BOUND) continue
        if (Math.abs(evalModAt(evalMod, t) - message) > FAILURE_TOLERANCE) return n - 1
      }
    }
  }
  return Number.POSITIVE_INFINITY
}

/**
 * P(|sum of 1 + weight uniform numbers on [-1/2, 1/2]| > a), bounded by Chernoff: the minimum over s of
 * 2 (sinh(s / 2) / (s / 2))^n exp(-s a).
 */
export function tailBound(a: number): number {
  const count = 1 + EPHEMERAL_WEIGHT
  if (a >= count / 2) return 0
  let best = 1
  for (let s = 0.5; s < 200; s *= 1.02) {
    const log = count * (Math.log(Math.sinh(s / 2)) - Math.log(s / 2)) - s * a
    best = Math.min(best, 2 * Math.exp(log))
  }
  return best
}
