import { InvalidArgumentError } from '../../errors/errors.ts'
import type { Polynomial } from '../polynomial/index.ts'
import { PeriodicFunction } from './periodic-function.ts'

/** Options of {@link steepStep}. */
export interface SteepStepOptions {
  /** In units of the period, from 0 to 1. Below it, for half a period, the step is low, above it high. */
  readonly threshold: number
  /** Odd polynomials that take sin(2 pi (x - threshold)) to -1 or 1; then what makes the result of that. */
  readonly polynomials: readonly Polynomial[]
}

/**
 * The step as a composition: a sine, then polynomials that steepen its change of sign, then perhaps one that cleans. It takes real values
 * too, for which the step is soft as far as the polynomials leave it so.
 *
 * @throws InvalidArgumentError for a threshold outside the period, or no polynomials
 */
export function steepStep({ threshold, polynomials }: SteepStepOptions): PeriodicFunction {
  if (!(threshold >= -1 && threshold <= 1))
    throw new InvalidArgumentError(`steepStep: a threshold must be a part of the period, got ${threshold}`)
  if (polynomials.length === 0) throw new InvalidArgumentError('steepStep: expected at least one polynomial')
  // sin(a - b) = Re(-i exp(i (a - b)))
  const angle = 2 * Math.PI * threshold
  return new PeriodicFunction({ re: [0, -Math.sin(angle)], im: [0, -Math.cos(angle)], after: polynomials })
}
