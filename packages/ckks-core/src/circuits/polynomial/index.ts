export * from './evaluate.ts'
export * from './polynomial.ts'
export { type PolynomialOperations, type PolynomialPlan, polynomialDepth } from './polynomial-plan.ts'
export type { Coefficients, Complex, PolynomialBasis } from './series.ts'
