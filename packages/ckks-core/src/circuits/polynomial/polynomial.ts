import { InvalidArgumentError } from '../../errors/errors.ts'
import { type PolynomialOperations, type PolynomialPlan, planPolynomial, polynomialDepth } from './polynomial-plan.ts'
import { type Coefficients, type Complex, createSeries, evaluateSeries, type PolynomialBasis } from './series.ts'

/**
 * An immutable polynomial of degree at least 1 together with the plan of its evaluation; make it once, use it for many
 * ciphertexts.
 */
export class Polynomial {
  /** What the coefficients are coefficients of. */
  readonly basis: PolynomialBasis
  /** Index of the last coefficient that is not zero, at least 1. */
  readonly degree: number
  /** Levels its evaluation takes: ceil(log2(degree + 1)). */
  readonly depth: number
  /** Coefficients without trailing zeros, lowest first. */
  readonly coefficients: {
    /** Real parts, degree + 1 of them. */
    readonly re: readonly number[]
    /** Imaginary parts, as many; all zero for a real polynomial. */
    readonly im: readonly number[]
  }
  /** How it is evaluated. */
  readonly plan: PolynomialPlan
  readonly #series: ReturnType<typeof createSeries>

  /** @throws InvalidArgumentError for a constant, or for coefficients that are not finite */
  constructor(basis: PolynomialBasis, coefficients: Coefficients) {
    const series = createSeries(basis, coefficients)
    this.#series = series
    this.basis = basis
    this.degree = series.re.length - 1
    if (this.degree === 0)
      throw new InvalidArgumentError('a polynomial must not be constant: its result would not depend on the ciphertext')
    this.depth = polynomialDepth(this.degree)
    this.coefficients = Object.freeze({ re: Object.freeze([...series.re]), im: Object.freeze([...series.im]) })
    this.plan = planPolynomial(series)
  }

  /** Exactly what evaluating it runs. */
  get operations(): PolynomialOperations {
    return this.plan.operations
  }

  /** The value at a complex number. */
  at(x: Complex): Complex {
    return evaluateSeries(this.#series, x)
  }

  /** The value at a real number; the real part when there are complex coefficients. */
  atReal(x: number): number {
    return evaluateSeries(this.#series, { re: x, im: 0 }).re
  }
}

/**
 * A polynomial in the Chebyshev basis: c[0] + c[1] T_1 + c[2] T_2 + ...
 *
 * @throws InvalidArgumentError as {@link Polynomial}
 */
export const chebyshevPolynomial = (coefficients: Coefficients): Polynomial => new Polynomial('chebyshev', coefficients)

/** A polynomial in the power basis: c[0] + c[1] x + c[2] x^2 + ... @throws InvalidArgumentError as {@link Polynomial} */
export const powerPolynomial = (coefficients: Coefficients): Polynomial => new Polynomial('power', coefficients)
