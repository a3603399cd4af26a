/** What a ReLU is wanted to reach, and what it costs. Everything here is on [-1, 1]: errors and gap over the half range. */
import type { PolynomialOperations } from '@he-ml/ckks-core'

/** |p(x) - relu(x)| <= error for |x| <= 1, and <= gapError for |x| >= gap. Without a gap: 0, and both errors alike. */
export interface ReluTarget {
  readonly error: number
  readonly gap: number
  readonly gapError: number
}

/** Levels first, then products of ciphertexts, then relinearisations. */
export interface Cost {
  readonly depth: number
  readonly operations: PolynomialOperations
}

/** Negative when a is cheaper. */
export const compareCosts = (a: Cost, b: Cost): number =>
  a.depth - b.depth ||
  a.operations.products - b.operations.products ||
  a.operations.relinearizations - b.operations.relinearizations

/** One after the other. */
export const addOperations = (a: PolynomialOperations, b: PolynomialOperations): PolynomialOperations => ({
  products: a.products + b.products,
  relinearizations: a.relinearizations + b.relinearizations,
  rescales: a.rescales + b.rescales,
  scalarProducts: a.scalarProducts + b.scalarProducts,
})
