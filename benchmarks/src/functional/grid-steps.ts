/** Steps of grids, random points, and what came out of them. */
import { type GridFunction, gridFunction, PeriodicFunction } from '@he-ml/ckks-core'
import type { ComplexSlots } from '../bootstrapping/accuracy.ts'

/** The step at an even index: runs of even length take the lowest degree. */
export const gridStep = (points: number, threshold = 2 * Math.round(points / 16)): GridFunction =>
  gridFunction({
    points,
    values: Array.from({ length: points }, (_, i) => i - points / 2).map((index) => ({
      index,
      value: index >= threshold ? 1 : 0,
    })),
    cleaned: true,
  })

/** Cosine and sine of the angle itself. */
export const ANGLE: readonly PeriodicFunction[] = [
  new PeriodicFunction({ re: [0, 1], im: [0, 0] }),
  new PeriodicFunction({ re: [0, 0], im: [0, -1] }),
]

/** Random points, from -points / 2. */
export function gridValues(
  points: number,
  slots: number,
  content: 'complex' | 'real',
  random: () => number,
): ComplexSlots {
  const draw = () => Float64Array.from({ length: slots }, () => Math.floor(random() * points) - points / 2)
  return { re: draw(), im: content === 'complex' ? draw() : new Float64Array(slots) }
}

/** Results nearer to the other value than to the right one. */
export function wrongDecisions(step: GridFunction, values: ComplexSlots, got: ComplexSlots): number {
  const right = new Map(step.values.map(({ index, value }) => [index, value]))
  const count = (indices: Float64Array, results: Float64Array): number =>
    indices.reduce((sum, k, i) => sum + (Math.abs(results[i]! - (right.get(k) ?? 0)) < 0.5 ? 0 : 1), 0)
  const real = count(values.re, got.re)
  return values.im.every((k) => k === 0) ? real : real + count(values.im, got.im)
}

/** Standard deviation of the angle's errors, in steps. */
export function angleDeviation(points: number, indices: Float64Array, cos: Float64Array, sin: Float64Array): number {
  const square = indices.reduce((sum, k, i) => {
    const angle = (2 * Math.PI * k) / points
    return sum + (Math.cos(angle) * sin[i]! - Math.sin(angle) * cos[i]!) ** 2
  }, 0)
  return (Math.sqrt(square / indices.length) * points) / (2 * Math.PI)
}
