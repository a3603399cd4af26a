/**
 * The cosine that evalMod starts from, as an even Chebyshev series. After r doublings of the angle an error of the series is
 * multiplied by 2^r sin(2^r a) / sin(a), but where it matters is decided by how often an argument occurs: modRaise adds
 * multiples of q0 that are nearly normal with standard deviation 1.66, so arguments beyond 10 are as good as never seen. A
 * least-squares fit with weights that fall off there gives four to five bits more in the middle than the minimax polynomial
 * of the same degree, and still holds everywhere up to the largest argument there can be.
 */
import { solveLeastSquares } from './least-squares.ts'

/** |y| up to which errors count in full, and by how many bits per unit they count less beyond. */
const INNER = 10
const SLOPE = 2

/** Samples of the fit, per coefficient. */
const OVERSAMPLING = 25

/**
 * Coefficients of T_0, ..., T_degree on [-1, 1] (odd ones zero) of amplitude * cos(2 pi bound t / 2^doubleAngles).
 *
 * @param degree even
 */
export function cosineSeries(options: {
  readonly degree: number
  readonly bound: number
  readonly doubleAngles: number
  readonly amplitude: number
}): Float64Array {
  const { degree, bound, doubleAngles, amplitude } = options
  const terms = degree / 2 + 1
  const samples = OVERSAMPLING * terms
  const rows: Float64Array[] = []
  const wanted = new Float64Array(samples)
  for (let i = 0; i < samples; i++) {
    const angle = ((Math.PI / 2) * (i + 0.5)) / samples
    const y = bound * Math.cos(angle)
    const weight = 2 ** (-SLOPE * Math.max(0, y - INNER))
    rows.push(Float64Array.from({ length: terms }, (_, k) => weight * Math.cos(2 * k * angle)))
    wanted[i] = weight * Math.cos((2 * Math.PI * y) / 2 ** doubleAngles)
  }
  const even = solveLeastSquares(rows, wanted)
  const series = new Float64Array(degree + 1)
  for (let k = 0; k < terms; k++) series[2 * k] = amplitude * even[k]!
  return series
}
