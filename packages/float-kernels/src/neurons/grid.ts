/**
 * Rounding to grids. Encrypted steps are evaluated on the points of a grid,
 * so training rounds to it in the forward pass and, in the backward pass, treats rounding as the identity and clipping as
 * what it is (the straight-through estimator of Bengio, Leonard and Courville, arXiv 1308.3432).
 */
import { type Grid, gridRange, nearestOnGrid } from '@he-ml/model/spiking'
import type { Reals } from '../reals.ts'

/** Where clipping begins: half a step beyond the ends still rounds to them. */
function gridBorders(grid: Grid): readonly [low: number, high: number] {
  const [low, high] = gridRange(grid)
  return [low - grid.step / 2, high + grid.step / 2]
}

/** True where rounding does not clip. */
export function isInsideGrid(value: number, grid: Grid): boolean {
  const [low, high] = gridBorders(grid)
  return value >= low && value < high
}

/** Signed distance of a value from the border that it is beyond; 0 inside. */
export function excessOverGrid(value: number, grid: Grid): number {
  if (isInsideGrid(value, grid)) return 0
  const [low, high] = gridBorders(grid)
  return value - (value < low ? low : high)
}

/** Rounds every value to the grid; `out` may be `values`. */
export function roundToGrid(values: Reals, grid: Grid, out: Reals): void {
  for (let i = 0; i < values.length; i++) out[i] = nearestOnGrid(values[i]!, grid)
}

/**
 * Backward pass of {@link roundToGrid}, in place: where a value was clipped, its gradient is `pull` times its excess, which is
 * that of pull / 2 * excess^2 and nothing else.
 */
export function stopOutsideGrid(values: Reals, grid: Grid, gradient: Reals, pull = 0): void {
  for (let i = 0; i < values.length; i++)
    // an infinite excess times 0 would be NaN
    if (!isInsideGrid(values[i]!, grid)) gradient[i] = pull === 0 ? 0 : pull * excessOverGrid(values[i]!, grid)
}
