/**
 * The largest coefficient of the polynomial that encodes a slot vector, before scaling: what must stay below half the
 * modulus. A vector of period n lives in the ring of degree 2 n (its powers of X^(N / 2n)), so the inverse embedding is a
 * transform of 2 n points: slot j is the value at zeta^(5^j), its conjugate the value at zeta^(-5^j), zeta = exp(i pi / 2 n).
 */
import { GALOIS_GENERATOR } from '../../port/galois.ts'
import type { ComplexVector } from '../../port/slot-values.ts'

/** max |coefficient| of the real polynomial with these slots; never more than the largest |slot|. */
export function largestCoefficient({ re, im }: ComplexVector): number {
  const degree = 2 * re.length
  const x = new Float64Array(degree)
  const y = new Float64Array(degree)
  let exponent = 1
  for (let j = 0; j < re.length; j++) {
    // index i stands for zeta^(2 i + 1)
    const at = (exponent - 1) / 2
    const mirrored = degree - 1 - at
    x[at] = re[j]!
    y[at] = im?.[j] ?? 0
    x[mirrored] = x[at]!
    y[mirrored] = -y[at]!
    exponent = (exponent * GALOIS_GENERATOR) % (2 * degree)
  }
  transform(x, y)
  let largest = 0
  for (let k = 0; k < degree; k++) {
    // coefficient k = zeta^(-k) / degree * sum over i of value_i * exp(-2 pi i k i / degree)
    const angle = (-Math.PI * k) / degree
    largest = Math.max(largest, Math.abs(x[k]! * Math.cos(angle) - y[k]! * Math.sin(angle)))
  }
  return largest / degree
}

/** In-place radix-2 Fourier transform with kernel exp(-2 pi i k j / n). */
function transform(x: Float64Array, y: Float64Array): void {
  const n = x.length
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1
    for (; j & bit; bit >>= 1) j ^= bit
    j ^= bit
    if (i >= j) continue
    ;[x[i], x[j]] = [x[j]!, x[i]!]
    ;[y[i], y[j]] = [y[j]!, y[i]!]
  }
  for (let size = 2; size <= n; size *= 2) {
    const half = size / 2
    for (let k = 0; k < half; k++) {
      const c = Math.cos((2 * Math.PI * k) / size)
      const s = -Math.sin((2 * Math.PI * k) / size)
      for (let i = k; i < n; i += size) {
        const j = i + half
        const tx = x[j]! * c - y[j]! * s
        const ty = x[j]! * s + y[j]! * c
        x[j] = x[i]! - tx
        y[j] = y[i]! - ty
        x[i]! += tx
        y[i]! += ty
      }
    }
  }
}
