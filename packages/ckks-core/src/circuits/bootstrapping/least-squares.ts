/**
 * min |A x - b| by Householder reflections: backward stable, so a fit is as good as the conditioning of its basis allows.
 * A and b are overwritten.
 */
export function solveLeastSquares(a: readonly Float64Array[], b: Float64Array): Float64Array {
  const columns = a[0]!.length
  for (let k = 0; k < columns; k++) {
    let square = 0
    for (let i = k; i < a.length; i++) square += a[i]![k]! ** 2
    const diagonal = a[k]![k]! > 0 ? -Math.sqrt(square) : Math.sqrt(square)
    const v = Float64Array.from({ length: a.length - k }, (_, i) => a[i + k]![k]!)
    v[0]! -= diagonal
    const factor = 2 / v.reduce((sum, x) => sum + x * x, 0)
    for (let j = k; j < columns; j++) {
      let dot = 0
      for (let i = 0; i < v.length; i++) dot += v[i]! * a[i + k]![j]!
      for (let i = 0; i < v.length; i++) a[i + k]![j]! -= factor * dot * v[i]!
    }
    let dot = 0
    for (let i = 0; i < v.length; i++) dot += v[i]! * b[i + k]!
    for (let i = 0; i < v.length; i++) b[i + k]! -= factor * dot * v[i]!
  }
  const x = new Float64Array(columns)
  for (let k = columns - 1; k >= 0; k--) {
    let rest = b[k]!
    for (let j = k + 1; j < columns; j++) rest -= a[k]![j]! * x[j]!
    x[k] = rest / a[k]![k]!
  }
  return x
}
