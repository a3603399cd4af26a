import type { Arithmetic } from './arithmetic.ts'

/** A value and its derivative along one direction (forward-mode differentiation). */
export interface Dual {
  /** The value. */
  readonly value: number
  /** Its derivative. */
  readonly slope: number
}

/** Dual numbers: the same recurrence gives its own derivative. */
export const dualArithmetic: Arithmetic<Dual> = {
  add: (a, b) => ({ value: a.value + b.value, slope: a.slope + b.slope }),
  sub: (a, b) => ({ value: a.value - b.value, slope: a.slope - b.slope }),
  mul: (a, b) => ({ value: a.value * b.value, slope: a.slope * b.value + a.value * b.slope }),
  square: (a) => ({ value: a.value * a.value, slope: 2 * a.value * a.slope }),
  scale: (a, factor) => ({ value: a.value * factor, slope: a.slope * factor }),
  addConstant: (a, constant) => ({ value: a.value + constant, slope: a.slope }),
}
