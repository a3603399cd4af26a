import { describe, expect, it } from 'vitest'
import { coefficientsOf } from '../../engines/clear/embedding.ts'
import { InvalidArgumentError } from '../../errors/errors.ts'
import { resolveSlots, rootMeanSquare, slotCount, toComplex } from '../../port/slot-values.ts'
import { factorMatrix, fourierFactors } from './fourier-factors.ts'

const LOG = 6
const N = 2 ** LOG
const input = {
  re: Float64Array.from({ length: N }, (_, i) => Math.sin(i * i + 1)),
  im: Float64Array.from({ length: N }, (_, i) => Math.cos(3 * i)),
}

function apply(count: number, inverse: boolean, vector: { re: Float64Array; im: Float64Array }) {
  let current = vector
  for (const factor of fourierFactors(LOG, count, inverse)) {
    const next = { re: new Float64Array(N), im: new Float64Array(N) }
    for (const [step, source] of factorMatrix(factor, LOG, 1).diagonals) {
      const { re, im } = toComplex(resolveSlots(source))
      const period = re.length
      for (let j = 0; j < N; j++) {
        const k = (j + step) % N
        const [a, b] = [re[j % period]!, im?.[j % period] ?? 0]
        next.re[j]! += a * current.re[k]! - b * current.im[k]!
        next.im[j]! += a * current.im[k]! + b * current.re[k]!
      }
    }
    current = next
  }
  return current
}

const reversed = (i: number): number =>
  Number.parseInt(i.toString(2).padStart(LOG, '0').split('').reverse().join(''), 2)

describe.each([1, 2, 3, 4, 6])('%d factors', (count) => {
  it('forward: slots become coefficients in bit-reversed order', () => {
    const coefficients = coefficientsOf(apply(count, false, input))
    for (let k = 0; k < N; k++) {
      expect(coefficients[k]).toBeCloseTo(input.re[reversed(k)]!, 12)
      expect(coefficients[k + N]).toBeCloseTo(input.im[reversed(k)]!, 12)
    }
  })
  it('the inverse undoes it', () => {
    const back = apply(count, true, apply(count, false, input))
    for (let k = 0; k < N; k++) {
      expect(back.re[k]).toBeCloseTo(input.re[k]!, 12)
      expect(back.im[k]).toBeCloseTo(input.im[k]!, 12)
    }
  })
  it('knows the size of its diagonals, and only one factor has full-length ones', () => {
    for (const inverse of [false, true]) {
      const factors = fourierFactors(LOG, count, inverse)
      expect(factors.reduce((sum, f) => sum + f.to - f.from + 1, 0)).toBe(LOG)
      for (const factor of factors) {
        const { diagonals } = factorMatrix(factor, LOG, -3)
        const rows = 2 ** (factor.to - factor.from + 1)
        expect(diagonals.size).toBe(factor.to === LOG ? rows : 2 * rows - 1)
        for (const source of diagonals.values()) {
          expect(slotCount(source, N)).toBe(2 ** factor.to)
          expect(rootMeanSquare(toComplex(resolveSlots(source)))).toBeCloseTo(
            (source as { magnitude: number }).magnitude,
            10,
          )
        }
      }
    }
  })
})

it('refuses impossible counts', () => {
  expect(() => fourierFactors(4, 5, false)).toThrow(InvalidArgumentError)
  expect(() => fourierFactors(4, 0, true)).toThrow(InvalidArgumentError)
})
