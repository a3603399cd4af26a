/**
 * Real functions of period 1, as trigonometric polynomials f(x) = Re(c_0 + c_1 E + ... + c_d E^d) with E = exp(2 pi i x), followed by
 * polynomials that clean or steepen the result.
 */
import { InvalidArgumentError } from '../../errors/errors.ts'
import { type Complex, type Polynomial, powerPolynomial } from '../polynomial/index.ts'

/** What a periodic function is made of. */
export interface PeriodicFunctionOptions {
  /** c_0, ..., c_d; the imaginary part of c_0 has no effect. */
  readonly re: readonly number[] | Float64Array
  /** Imaginary parts, as many as real ones. */
  readonly im: readonly number[] | Float64Array
  /** Applied to the real result, one after the other. */
  readonly after?: readonly Polynomial[]
}

/** Immutable; see `gridFunction`, `fourierExtension` and `steepStep` for ways to make one. */
export class PeriodicFunction {
  /** Half of the trigonometric polynomial: its real part is half of f before `after`. */
  readonly half: Polynomial
  /** Applied to the real result, one after the other; empty for none. */
  readonly after: readonly Polynomial[]

  /** @throws InvalidArgumentError for a constant, for coefficients that are not finite, or different numbers of them */
  constructor({ re, im, after = [] }: PeriodicFunctionOptions) {
    if (re.length !== im.length)
      throw new InvalidArgumentError(
        `a periodic function needs as many real as imaginary coefficients, got ${re.length} and ${im.length}`,
      )
    this.half = powerPolynomial({
      re: Float64Array.from(re, (c) => c / 2),
      im: Float64Array.from(im, (c, k) => (k === 0 ? 0 : c / 2)),
    })
    this.after = Object.freeze([...after])
  }

  /** Of the trigonometric polynomial. */
  get degree(): number {
    return this.half.degree
  }

  /** Levels from E to the result. */
  get depth(): number {
    return this.after.reduce((sum, { depth }) => sum + depth, this.half.depth)
  }

  /** The value at x, any real number. */
  at(x: number): number {
    const angle = 2 * Math.PI * x
    return this.atAngle({ re: Math.cos(angle), im: Math.sin(angle) })
  }

  /** What the function stands for at x: its value, unless it knows of one that it misses by a little. */
  wantedAt(x: number): number {
    return this.at(x)
  }

  /** What becomes of E, or of a number near the unit circle. */
  atAngle(angle: Complex): number {
    const value = 2 * this.half.at(angle).re
    return this.after.reduce((y, polynomial) => polynomial.atReal(y), value)
  }
}
