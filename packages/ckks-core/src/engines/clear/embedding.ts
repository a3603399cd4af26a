/**
 * The canonical embedding, between slot vectors and the polynomials that encode them (before scaling). A vector of period n
 * lives in the ring of degree 2 n (its powers of X^(N / 2n)): slot j is the value at zeta^(5^j), its conjugate the value at
 * zeta^(-5^j), zeta = exp(i pi / 2 n).
 */
import { GALOIS_GENERATOR } from '../../port/galois.ts'
import type { ComplexVector } from '../../port/slot-values.ts'

/** Index i stands for zeta^(2 i + 1); gives, for slot after slot, its own index. */
function* slotIndices(slots: number): Generator<number> {
  let exponent = 1
  for (let j = 0; j < slots; j++) {
    yield (exponent - 1) / 2
    exponent = (exponent * GALOIS_GENERATOR) % (4 * slots)
  }
}

/** Coefficients of the real polynomial of degree below 2 n with these n slots. */
export function coefficientsOf({ re, im }: ComplexVector): Float64Array {
  const degree = 2 * re.length
  const x = new Float64Array(degree)
  const y = new Float64Array(degree)
  let j = 0
  for (const at of slotIndices(re.length)) {
    const mirrored = degree - 1 - at
    x[at] = re[j]!
    y[at] = im?.[j] ?? 0
    x[mirrored] = x[at]!
    y[mirrored] = -y[at]!
    j++
  }
  transform(x, y)
  // coefficient k = zeta^(-k) / degree * sum over i of value_i * exp(-2 pi i k i / degree)
  return x.map((v, k) => {
    const angle = (-Math.PI * k) / degree
    return (v * Math.cos(angle) - y[k]! * Math.sin(angle)) / degree
  })
}

/** The slots of a real polynomial, one for every two coefficients. */
export function slotsOf(coefficients: Float64Array): Required<ComplexVector> {
  const degree = coefficients.length
  // the conjugate of value_i is sum over k of c_k zeta^(-k) exp(-2 pi i k i / degree)
  const x = coefficients.map((c, k) => c * Math.cos((Math.PI * k) / degree))
  const y = coefficients.map((c, k) => -c * Math.sin((Math.PI * k) / degree))
  transform(x, y)
  const re = new Float64Array(degree / 2)
  const im = new Float64Array(degree / 2)
  let j = 0
  for (const at of slotIndices(degree / 2)) {
    re[j] = x[at]!
    im[j] = -y[at]!
    j++
  }
  return { re, im }
}

/** max |coefficient| of the real polynomial with these slots; never more than the largest |slot|. */
export function largestCoefficient(vector: ComplexVector): number {
  return coefficientsOf(vector).reduce((largest, c) => Math.max(largest, Math.abs(c)), 0)
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
