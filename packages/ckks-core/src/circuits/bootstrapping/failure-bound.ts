/**
 * How likely modRaise and evalMod are to spoil a bootstrap of values within the range, noise apart. Two things could: modRaise
 * could add a multiple of q0 beyond the sine's last period, but with balanced residues |c0 + c1 s| <= q0 (1 + weight) / 2 =
 * 16.5 q0 always, so the multiples are -16 to 16. And the sine's polynomial could be too far off at a multiple that does occur:
 * its weights let errors grow for arguments beyond 10 (cosine-series.ts). The probability of every multiple counts at which a
 * message of the range comes out more than 2^-8 of the range off. Where none does, nothing is left to happen, and the bound is 0.
 */
import { EPHEMERAL_WEIGHT, RAISE_BOUND } from '../../parameters/ephemeral.ts'
import type { BootstrappingSpec } from './bootstrapping-spec.ts'
import { ANGLE_BOUND, ANGLE_SHIFT, angle, createEvalMod, evalModAt } from './eval-mod.ts'

/** An error of this size relative to the range is a failure. */
export const FAILURE_TOLERANCE = 2 ** -8

/**
 * Messages tried on either side of each multiple, up to the range. The error is the sine's cubic bend and what the series is off
 * by; the latter hardly changes over so small a part of a period, so nothing hides between two of them.
 */
const MESSAGES = 32

/**
 * Union bound over all coefficients of one bootstrap: at most 1, and 0 where every multiple that can occur is right. Says
 * nothing about noise (that is the error estimate), nor about values outside the range.
 */
export function failureBound(ringDegree: number, spec: BootstrappingSpec): number {
  const safe = safeMultiple(spec)
  return Math.min(1, ringDegree * tailBound(safe + 0.5))
}

/** Largest n such that all multiples up to n in absolute value come out right; infinite if all that can occur do. */
export function safeMultiple(spec: BootstrappingSpec): number {
  const evalMod = createEvalMod(spec, 1)
  for (let n = 0; n <= Math.floor(ANGLE_BOUND); n++) {
    for (const multiple of [n, -n]) {
      for (let i = -MESSAGES; i <= MESSAGES; i++) {
        const message = i / MESSAGES
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
