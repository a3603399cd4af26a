/**
 * The special Fourier transform as a product of few sparse matrices, and its inverse.
 *
 * Slots and coefficients of a polynomial of degree below 2 n are related by z = U w, w_k = c_k + i c_(k+n). U is a bit reversal
 * followed by log2(n) butterfly stages S_2, S_4, ..., S_n (Cheon, Han, Kim, Kim and Song, ePrint 2018/153).
 * Bootstrapping goes there and back with only slot-wise work in between, so the bit reversal is left out on both sides.
 * Stages are multiplied together in groups (Chen, Chillotti and Song, ePrint 2018/1043; Han, Hhan and Cheon, ePrint 2018/1073):
 * a group of s stages is a matrix of at most 2^(s+1) - 1 diagonals at multiples of one stride, each entry of one modulus.
 * Stage S_len repeats every len slots, so all groups but one have short diagonals.
 */
import { InvalidArgumentError } from '../../errors/errors.ts'
import { GALOIS_GENERATOR, normalizeSteps } from '../../port/galois.ts'
import type { ComplexVector, LazySlotValues } from '../../port/slot-values.ts'
import type { DiagonalMatrix } from '../linear-transform/diagonal-matrix.ts'

type Diagonal = Required<ComplexVector>

/** Diagonals of one period. */
interface SparseMatrix {
  readonly period: number
  readonly diagonals: ReadonlyMap<number, Diagonal>
}

/** Which stages a factor multiplies: S_(2^from), ..., S_(2^to). */
export interface FourierFactor {
  readonly from: number
  readonly to: number
  readonly inverse: boolean
}

/**
 * Factors of the transform in the order in which they are applied, or of its inverse (in the reverse order). Groups differ by
 * at most one stage; the larger ones are those with short diagonals.
 *
 * @param logSlots log2 of the number of slots
 * @param count factors wanted, from 1 to logSlots
 */
export function fourierFactors(logSlots: number, count: number, inverse: boolean): FourierFactor[] {
  if (!Number.isInteger(count) || count < 1 || count > logSlots)
    throw new InvalidArgumentError(`a transform of 2^${logSlots} slots has 1 to ${logSlots} factors, got ${count}`)
  const factors: FourierFactor[] = []
  let from = 1
  for (let i = 0; i < count; i++) {
    const size = Math.ceil((logSlots - from + 1) / (count - i))
    factors.push({ from, to: from + size - 1, inverse })
    from += size
  }
  return inverse ? factors.reverse() : factors
}

/** A factor times a constant, as diagonals that are made when somebody asks for their values. */
export function factorMatrix(factor: FourierFactor, logSlots: number, constant: number): DiagonalMatrix {
  const { from, to, inverse } = factor
  const slots = 2 ** logSlots
  const period = 2 ** to
  const stride = 2 ** (from - 1)
  const rows = 2 ** (to - from + 1)
  let made: SparseMatrix | undefined
  const entry = (inverse ? 1 / rows : 1) * Math.abs(constant)
  const diagonals = new Map<number, LazySlotValues>()
  for (let k = 1 - rows; k < rows; k++) {
    const step = normalizeSteps(k * stride, slots)
    // in the largest group k and k - rows are the same diagonal, which then has no gaps
    const filled = period === slots ? 1 : 1 - Math.abs(k) / rows
    diagonals.set(step, {
      slots: period,
      magnitude: entry * Math.sqrt(filled),
      values: () => {
        made ??= productOfStages(factor)
        const { re, im } = made.diagonals.get(normalizeSteps(k * stride, period))!
        const gap = period === slots ? undefined : k
        return scaled(re, im, constant, gap, stride, rows)
      },
    })
  }
  return { slots, diagonals }
}

/**
 * A short diagonal of step k stands for steps k and k - period at once in the product of stages; seen from all slots they are
 * two different rotations, and each keeps the rows that reach into its own direction.
 */
function scaled(
  re: Float64Array,
  im: Float64Array,
  constant: number,
  k: number | undefined,
  stride: number,
  rows: number,
): ComplexVector {
  const keep = (j: number): boolean => {
    if (k === undefined) return true
    const target = Math.floor(j / stride) + k
    return target >= 0 && target < rows
  }
  return {
    re: re.map((x, j) => (keep(j) ? x * constant : 0)),
    im: im.map((x, j) => (keep(j) ? x * constant : 0)),
  }
}

function productOfStages({ from, to, inverse }: FourierFactor): SparseMatrix {
  const period = 2 ** to
  let product: SparseMatrix | undefined
  // S_to ... S_from, or its inverse
  for (let i = from; i <= to; i++) {
    const stage = expand(inverse ? inverseStage(2 ** i) : forwardStage(2 ** i), period)
    if (!product) product = stage
    else product = inverse ? multiply(product, stage) : multiply(stage, product)
  }
  return product!
}

/** exp(2 pi i 5^j / (4 len)) for j below len / 2. */
function twiddles(len: number): Diagonal {
  const half = len / 2
  const re = new Float64Array(half)
  const im = new Float64Array(half)
  let power = 1
  for (let j = 0; j < half; j++) {
    const angle = (2 * Math.PI * power) / (4 * len)
    re[j] = Math.cos(angle)
    im[j] = Math.sin(angle)
    power = (power * GALOIS_GENERATOR) % (4 * len)
  }
  return { re, im }
}

/** Butterflies (u, v) -> (u + w v, u - w v) on pairs half a period apart. */
function forwardStage(len: number): SparseMatrix {
  const half = len / 2
  const w = twiddles(len)
  const same = zeros(len)
  const other = zeros(len)
  for (let j = 0; j < half; j++) {
    same.re[j] = 1
    same.re[j + half] = -w.re[j]!
    same.im[j + half] = -w.im[j]!
    other.re[j] = w.re[j]!
    other.im[j] = w.im[j]!
    other.re[j + half] = 1
  }
  return {
    period: len,
    diagonals: new Map([
      [0, same],
      [half, other],
    ]),
  }
}

/** (u, v) -> ((u + v) / 2, conj(w) (u - v) / 2). */
function inverseStage(len: number): SparseMatrix {
  const half = len / 2
  const w = twiddles(len)
  const same = zeros(len)
  const other = zeros(len)
  for (let j = 0; j < half; j++) {
    same.re[j] = 0.5
    same.re[j + half] = -w.re[j]! / 2
    same.im[j + half] = w.im[j]! / 2
    other.re[j] = 0.5
    other.re[j + half] = w.re[j]! / 2
    other.im[j + half] = -w.im[j]! / 2
  }
  return {
    period: len,
    diagonals: new Map([
      [0, same],
      [half, other],
    ]),
  }
}

const zeros = (length: number): Diagonal => ({ re: new Float64Array(length), im: new Float64Array(length) })

/** The same matrix (periodic with its own length) as one of a longer period: steps split by the direction they point in. */
function expand({ period: own, diagonals }: SparseMatrix, period: number): SparseMatrix {
  if (own === period) return { period, diagonals }
  const result = new Map<number, Diagonal>()
  for (const [step, { re, im }] of diagonals) {
    for (const turned of step === 0 ? [0] : [step, step - own]) {
      const out = zeros(period)
      for (let j = 0; j < period; j++) {
        const row = j % own
        if (row + turned < 0 || row + turned >= own) continue
        out.re[j] = re[row]!
        out.im[j] = im[row]!
      }
      result.set(normalizeSteps(turned, period), out)
    }
  }
  return { period, diagonals: result }
}

/** a b: row j of the product's diagonal s + t is a_s[j] b_t[j + s]. */
function multiply(a: SparseMatrix, b: SparseMatrix): SparseMatrix {
  const { period } = a
  const mask = period - 1
  const result = new Map<number, Diagonal>()
  for (const [s, x] of a.diagonals) {
    for (const [t, y] of b.diagonals) {
      const step = (s + t) & mask
      let out = result.get(step)
      if (!out) {
        out = zeros(period)
        result.set(step, out)
      }
      for (let j = 0; j < period; j++) {
        const xr = x.re[j]!
        const xi = x.im[j]!
        if (xr === 0 && xi === 0) continue
        const k = (j + s) & mask
        const yr = y.re[k]!
        const yi = y.im[k]!
        out.re[j]! += xr * yr - xi * yi
        out.im[j]! += xr * yi + xi * yr
      }
    }
  }
  return { period, diagonals: result }
}
