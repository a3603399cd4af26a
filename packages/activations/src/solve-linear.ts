import { UnsupportedError } from '@he-ml/ckks-core'

/**
 * Solves A x = b by elimination with partial pivoting and one step of iterative refinement; A row-major, square.
 * @throws UnsupportedError when A is singular in float64
 */
export function solveLinear(matrix: Float64Array, right: Float64Array): Float64Array {
  const n = right.length
  const lu = matrix.slice()
  const order = Int32Array.from({ length: n }, (_, i) => i)
  for (let k = 0; k < n; k++) {
    let pivot = k
    for (let i = k + 1; i < n; i++) if (Math.abs(lu[i * n + k]!) > Math.abs(lu[pivot * n + k]!)) pivot = i
    if (lu[pivot * n + k] === 0) throw new UnsupportedError('the interpolation problem is singular in float64')
    if (pivot !== k) {
      for (let j = 0; j < n; j++) {
        const swap = lu[k * n + j]!
        lu[k * n + j] = lu[pivot * n + j]!
        lu[pivot * n + j] = swap
      }
      const swap = order[k]!
      order[k] = order[pivot]!
      order[pivot] = swap
    }
    for (let i = k + 1; i < n; i++) {
      const factor = lu[i * n + k]! / lu[k * n + k]!
      lu[i * n + k] = factor
      if (factor !== 0) for (let j = k + 1; j < n; j++) lu[i * n + j]! -= factor * lu[k * n + j]!
    }
  }
  const substitute = (b: Float64Array) => {
    const x = Float64Array.from(order, (i) => b[i]!)
    for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) x[i]! -= lu[i * n + j]! * x[j]!
    for (let i = n - 1; i >= 0; i--) {
      for (let j = i + 1; j < n; j++) x[i]! -= lu[i * n + j]! * x[j]!
      x[i]! /= lu[i * n + i]!
    }
    return x
  }
  const x = substitute(right)
  const residual = right.map((b, i) => {
    let sum = b
    for (let j = 0; j < n; j++) sum -= matrix[i * n + j]! * x[j]!
    return sum
  })
  const correction = substitute(residual)
  return x.map((v, i) => v + correction[i]!)
}
