import type { Arithmetic } from './arithmetic.ts'

/** Plain numbers, double precision. */
export const numberArithmetic: Arithmetic<number> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  square: (a) => a * a,
  scale: (a, factor) => a * factor,
  addConstant: (a, constant) => a + constant,
}
