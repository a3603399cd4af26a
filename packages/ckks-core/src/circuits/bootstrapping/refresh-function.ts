/**
 * A function of real values that a bootstrap evaluates on its way, real and imaginary parts on their own: the polynomial after the
 * sine, which otherwise gives values back as they are, gives this function of them. It costs the levels of that polynomial, and no
 * refresh before it. The polynomial is close to the function within the range only: a tenth beyond it, one of degree 31 may be off by
 * thousands of ranges.
 */
export interface RefreshFunction {
  /** By which bootstraps ask for it. */
  readonly name: string
  /** Its value; the argument lies within the range that the bootstrap is for, and so should the result. */
  readonly at: (value: number) => number
}
