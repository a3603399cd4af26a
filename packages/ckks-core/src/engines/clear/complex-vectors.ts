/**
 * Slot-wise arithmetic on periodic complex vectors. `n` is the length of the result, a multiple of both operands' lengths
 * (all powers of two); a shorter operand repeats. A vector without imaginary half is real, and stays so where it can.
 */
import type { ComplexVector } from '../../port/slot-values.ts'

function zip(a: Float64Array, b: Float64Array, n: number, f: (x: number, y: number) => number): Float64Array {
  const out = new Float64Array(n)
  const ma = a.length - 1
  const mb = b.length - 1
  for (let i = 0; i < n; i++) out[i] = f(a[i & ma]!, b[i & mb]!)
  return out
}

/** The first n values of a's endless repetition. */
const repeat = (a: Float64Array, n: number): Float64Array => {
  if (a.length > n) return a.slice(0, n)
  const out = new Float64Array(n)
  for (let i = 0; i < n; i += a.length) out.set(a, i)
  return out
}

const halves = (re: Float64Array, im: Float64Array | undefined): ComplexVector => (im ? { re, im } : { re })

/** a + sign * b. */
export function combine(a: ComplexVector, b: ComplexVector, n: number, sign: 1 | -1): ComplexVector {
  const f = sign === 1 ? (x: number, y: number) => x + y : (x: number, y: number) => x - y
  const re = zip(a.re, b.re, n, f)
  if (a.im && b.im) return { re, im: zip(a.im, b.im, n, f) }
  if (a.im) return { re, im: repeat(a.im, n) }
  return halves(re, b.im && zip(new Float64Array(1), b.im, n, f))
}

/** a * b. */
export function multiply(a: ComplexVector, b: ComplexVector, n: number): ComplexVector {
  const times = (x: number, y: number) => x * y
  if (!a.im && !b.im) return { re: zip(a.re, b.re, n, times) }
  if (!b.im) return { re: zip(a.re, b.re, n, times), im: zip(a.im!, b.re, n, times) }
  if (!a.im) return { re: zip(a.re, b.re, n, times), im: zip(a.re, b.im, n, times) }
  const re = new Float64Array(n)
  const im = new Float64Array(n)
  const ma = a.re.length - 1
  const mb = b.re.length - 1
  for (let i = 0; i < n; i++) {
    const ar = a.re[i & ma]!
    const ai = a.im[i & ma]!
    const br = b.re[i & mb]!
    const bi = b.im[i & mb]!
    re[i] = ar * br - ai * bi
    im[i] = ar * bi + ai * br
  }
  return { re, im }
}

/** a * (re + i im). */
export function multiplyConstant(a: ComplexVector, re: number, im: number): ComplexVector {
  if (im === 0)
    return halves(
      a.re.map((x) => x * re),
      a.im?.map((x) => x * re),
    )
  if (!a.im) return { re: a.re.map((x) => x * re), im: a.re.map((x) => x * im) }
  const y = a.im
  return { re: a.re.map((x, i) => x * re - y[i]! * im), im: a.re.map((x, i) => x * im + y[i]! * re) }
}

/** a + (re + i im). */
export function addConstant(a: ComplexVector, re: number, im: number): ComplexVector {
  const sum = a.re.map((x) => x + re)
  if (im === 0) return halves(sum, a.im)
  return { re: sum, im: a.im ? a.im.map((x) => x + im) : new Float64Array(a.re.length).fill(im) }
}

/** Left rotation by `steps` in [0, n). */
export function rotateLeft(a: ComplexVector, steps: number, n: number): ComplexVector {
  const turn = (v: Float64Array) => {
    const out = new Float64Array(n)
    const mask = v.length - 1
    for (let i = 0; i < n; i++) out[i] = v[(i + steps) & mask]!
    return out
  }
  return halves(turn(a.re), a.im && turn(a.im))
}

export const conjugated = (a: ComplexVector): ComplexVector =>
  halves(
    a.re,
    a.im?.map((x) => -x),
  )

/** total += a * weight, in place; both of the same length. */
export function accumulate(total: Float64Array, a: Float64Array, weight: number): void {
  for (let i = 0; i < total.length; i++) total[i]! += a[i]! * weight
}

/** The vector repeated (or cut, where it has that period) to length n. */
export const expand = (a: ComplexVector, n: number): ComplexVector =>
  a.re.length === n ? a : halves(repeat(a.re, n), a.im && repeat(a.im, n))
