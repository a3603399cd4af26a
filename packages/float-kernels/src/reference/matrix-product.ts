/** Matrix products in plain loops, in either precision; the reference for native kernels and the fallback without them. */

import type { Gemm } from '../port/matrix-tasks.ts'
import { type Reals, zerosLike } from '../reals.ts'

/** c = alpha op(a) op(b) + beta c. Rows of b are added to rows of c, so that every inner loop runs along memory. */
export function multiplyMatrices(task: Gemm): void {
  const { m, n, k, c, alpha = 1, beta = 0 } = task
  const a = task.transposeA ? transpose(task.a, k, m) : task.a
  const b = task.transposeB ? transpose(task.b, n, k) : task.b
  if (beta === 0) c.fill(0)
  else if (beta !== 1) for (let i = 0; i < c.length; i++) c[i] = beta * c[i]!
  for (let row = 0; row < m; row++) {
    const to = row * n
    for (let i = 0; i < k; i++) {
      const factor = alpha * a[row * k + i]!
      const from = i * n
      // spikes are mostly zero; skipping them leaves the sum as it is
      if (factor !== 0) for (let j = 0; j < n; j++) c[to + j] = c[to + j]! + factor * b[from + j]!
    }
  }
}

/** [rows, columns] -> [columns, rows] */
function transpose(values: Reals, rows: number, columns: number): Reals {
  const result = zerosLike(values)
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) result[j * rows + i] = values[i * columns + j]!
  return result
}
