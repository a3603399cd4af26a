/**
 * A ciphertext times nothing but zeros has no second polynomial: anyone could read it, and clients refuse it. So where every
 * weight of a result rounds to zero at its scale, one of them becomes the smallest that does not: one unit of the scale. The
 * result is then an encryption like any other, of the right value plus 1/scale times an input, which is thousands of
 * times smaller than what rescaling adds. See docs/adr/0008-constant-outputs.md.
 */
import type { AnyParameters, Level } from '@he-ml/ckks-core'

/** Scale of weights for which rescaling a nominal ciphertext of that level lands on the nominal scale below. */
export const weightScale = (parameters: AnyParameters, level: Level): number =>
  (parameters.groupProduct(level) * parameters.scaleAt(level - 1)) / parameters.scaleAt(level)

/** Gives every row of a scalar matrix, changed in place, a weight that does not round to zero at `scale`. */
export function liftZeroRows(data: Float64Array, columns: number, scale: number): void {
  for (let start = 0; start < data.length; start += columns) {
    const row = data.subarray(start, start + columns)
    if (row.every((w) => Math.abs(w) * scale <= 0.5)) row[0] = 1 / scale
  }
}

/** The vector with its constant coefficient pushed one unit away from zero, so that it does not round to zero. */
export function liftZeroVector(values: Float64Array, scale: number): Float64Array {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length
  const unit = (mean < 0 ? -1 : 1) / scale
  return values.map((v) => v + unit)
}
