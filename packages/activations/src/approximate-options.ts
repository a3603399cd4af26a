import type { ApproximationMethod } from './activation-polynomial.ts'
import type { Range } from './chebyshev.ts'
import type { Histogram } from './least-squares.ts'

/** What is wanted of a polynomial; see `approximate`. */
export interface ApproximateOptions {
  /** Inputs the polynomial is for. */
  readonly range: Range
  /** Exact degree wanted; or, with `error`, the largest allowed (default 255). */
  readonly degree?: number
  /** Largest absolute error wanted on the range: the smallest degree that is certified to meet it is taken. */
  readonly error?: number
  /** Default 'remez'. */
  readonly method?: ApproximationMethod
  /** For 'least-squares': distribution of the inputs. */
  readonly density?: Histogram
  /** For 'least-squares': share of the uniform density, default 0.05. */
  readonly floor?: number
  /** For 'composite': odd degrees of the factors; searched when only `error` is given. */
  readonly degrees?: readonly number[]
  /** For sign: |x| from which it is approximated. For ReLU by a composite: chosen when absent. */
  readonly gap?: number
  /** For 'composite': widens every factor's range, for the noise that encrypted values carry; default 0. */
  readonly noiseMargin?: number
}
