/** How errors add up. */
import type { SlotEstimate, WeightMatrix } from '../../port/engine.ts'
import type { ScaledTerm } from '../../port/engine-arithmetic.ts'

/** sqrt of the sum of squares; unlike Math.hypot it takes any number of terms. */
export function norm<T>(items: readonly T[], of: (item: T) => number): number {
  return Math.sqrt(items.reduce((sum, item) => sum + of(item) ** 2, 0))
}

/** Of a product of independent values. */
export const productError = (a: SlotEstimate, b: SlotEstimate): number =>
  Math.hypot(a.magnitude * b.error, b.magnitude * a.error, a.error * b.error)

/**
 * Of constants times independent values, and a constant.
 * @param rounding what encoding a constant at a scale changes
 */
export function combinedEstimate(
  terms: readonly ScaledTerm<Pick<SlotEstimate, 'error' | 'magnitude'>>[],
  constant: { readonly re: number; readonly im: number },
  rounding: (value: number, scale: number) => number,
): Pick<SlotEstimate, 'error' | 'magnitude'> {
  let error = 0
  let magnitude = constant.re ** 2 + constant.im ** 2
  for (const { ciphertext: x, re, im, scale } of terms) {
    const size = Math.hypot(re, im)
    const rounded = Math.hypot(rounding(re, scale), rounding(im, scale))
    error += (x.error * size) ** 2 + (x.magnitude * rounded) ** 2
    magnitude += (x.magnitude * size) ** 2
  }
  return { error: Math.sqrt(error), magnitude: Math.sqrt(magnitude) }
}

/** Of a row of weights times independent values. */
export function rowEstimate(
  inputs: readonly Pick<SlotEstimate, 'error' | 'magnitude'>[],
  { columns, data }: WeightMatrix,
  row: number,
  rounding: (weight: number) => number,
): Pick<SlotEstimate, 'error' | 'magnitude'> {
  let error = 0
  let magnitude = 0
  for (const [column, x] of inputs.entries()) {
    const weight = data[row * columns + column]!
    error += (weight * x.error) ** 2 + (rounding(weight) * x.magnitude) ** 2
    magnitude += (weight * x.magnitude) ** 2
  }
  return { error: Math.sqrt(error), magnitude: Math.sqrt(magnitude) }
}
