/**
 * What a trainer uses as the derivative of the step, as a function of u - threshold. All have area 1 unless a height is
 * given, so that widths can be compared: h(z) = 1/(2w) on |z| <= w; 1/(2w (1 + |z|/w)^2); 1/(pi w (1 + (z/w)^2)).
 */
import { InvalidArgumentError } from '@he-ml/ckks-core'

/** Derivative that stands for the step's, at z = u - threshold. */
export type SurrogateGradient = (distance: number) => number

/** A surrogate as plain data, for recipes and checkpoints. */
export interface SurrogateDescription {
  /** A rectangle, or a bell that falls as 1 / z^2. */
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
 * import { createSurrogateGradient } from '@he-ml/float-kernels'
 * const h = createSurrogateGradient({ kind: 'rectangle', width: 0.5 })
 * console.log(h(0.2), h(0.7)) // 1 0
 * ```
 */
export function createSurrogateGradient(description: SurrogateDescription): SurrogateGradient {
  const { kind, width, height } = description
  if (!(width > 0 && Number.isFinite(width)))
    throw new InvalidArgumentError(`surrogate gradient: expected a positive width, got ${width}`)
  if (height !== undefined && !(height > 0 && Number.isFinite(height)))
    throw new InvalidArgumentError(`surrogate gradient: expected a positive height, got ${height}`)
  const { height: h } = completeSurrogate(description)
  if (kind === 'rectangle') return (z) => (Math.abs(z) <= width ? h : 0)
  if (kind === 'fastSigmoid') {
    return (z) => {
      const q = 1 + Math.abs(z) / width
      return h / (q * q)
    }
  }
  if (kind === 'arctangent') {
    return (z) => {
      const r = z / width
      return h / (1 + r * r)
    }
  }
  throw new InvalidArgumentError(
    `surrogate gradient: expected "rectangle", "fastSigmoid" or "arctangent", got ${JSON.stringify(kind)}`,
  )
}

/** The same surrogate with its height, the one with area 1 where none was given. */
export const completeSurrogate = ({ kind, width, height }: SurrogateDescription): Required<SurrogateDescription> => ({
  kind,
  width,
  height: height ?? 1 / ((kind === 'arctangent' ? Math.PI : 2) * width),
})
