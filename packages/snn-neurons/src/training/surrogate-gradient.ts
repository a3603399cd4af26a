/**
 * What a trainer uses as the derivative of the step, as a function of u - threshold. All have area 1 unless a height is
 * given, so that widths can be compared: h(z) = 1/(2w) on |z| <= w; 1/(2w (1 + |z|/w)^2); 1/(pi w (1 + (z/w)^2)).
 */
import { InvalidArgumentError } from '@he-ml/ckks-core'

/** Derivative that stands for the step's, at z = u - threshold. */
export type SurrogateGradient = (distance: number) => number

/** A surrogate as plain data, for recipes and checkpoints. */
export interface SurrogateDescription {
  readonly kind: 'rectangle' | 'fastSigmoid' | 'arctangent'
  /** Half-width of the rectangle; for the others the distance at which they fall to a quarter and to a half. Units of u. */
  readonly width: number
  /** Value at the threshold; default: the one with area 1. */
  readonly height?: number
}

/**
 * The function of a description.
 *
 * @throws InvalidArgumentError for an unknown kind, or unless width and height are positive
 * @example
 * ```ts
 * import { createSurrogateGradient } from '@he-ml/snn-neurons'
 * const h = createSurrogateGradient({ kind: 'rectangle', width: 0.5 })
 * console.log(h(0.2), h(0.7)) // 1 0
 * ```
 */
export function createSurrogateGradient({ kind, width, height }: SurrogateDescription): SurrogateGradient {
  if (!(width > 0 && Number.isFinite(width)))
    throw new InvalidArgumentError(`surrogate gradient: expected a positive width, got ${width}`)
  if (height !== undefined && !(height > 0 && Number.isFinite(height)))
    throw new InvalidArgumentError(`surrogate gradient: expected a positive height, got ${height}`)
  if (kind === 'rectangle') {
    const h = height ?? 1 / (2 * width)
    return (z) => (Math.abs(z) <= width ? h : 0)
  }
  if (kind === 'fastSigmoid') {
    const h = height ?? 1 / (2 * width)
    return (z) => h / (1 + Math.abs(z) / width) ** 2
  }
  if (kind === 'arctangent') {
    const h = height ?? 1 / (Math.PI * width)
    return (z) => h / (1 + (z / width) ** 2)
  }
  throw new InvalidArgumentError(
    `surrogate gradient: expected "rectangle", "fastSigmoid" or "arctangent", got ${JSON.stringify(kind)}`,
  )
}
