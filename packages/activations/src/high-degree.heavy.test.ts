import { chebyshevPolynomial, createParameters } from '@he-ml/ckks-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bitsBetween, encryptedRunner } from './encrypted.test-helper.ts'
import {
  activationFunction,
  approximate,
  forwardPolynomial,
  prepareActivation,
  type SeriesPolynomial,
} from './index.ts'

/** 868 bits are the 128-bit limit at N = 2^15. */
const parameters = createParameters({ logN: 15, levels: 8, scaleBits: 45 })

/** Products of ciphertexts and relinearisations of degree 59 and 119. */
const CASES = [
  // x / 2 + an even series
  { name: 'relu', range: [-8, 8], counts: { 59: [13, 10], 119: [17, 14] } },
  { name: 'gelu', range: [-24, 24], counts: { 59: [13, 10], 119: [17, 14] } },
  // 1 / 2 + an odd series
  { name: 'sigmoid', range: [-24, 24], counts: { 59: [15, 12], 119: [23, 16] } },
  // no symmetry
  { name: 'gelu', range: [-16, 32], counts: { 59: [16, 13], 119: [24, 17] } },
] as const

let runner: Awaited<ReturnType<typeof encryptedRunner>>
beforeAll(async () => {
  runner = await encryptedRunner(parameters)
})
afterAll(() => runner[Symbol.asyncDispose]())

describe('Chebyshev series of degree 59 and 119 on ciphertexts, N = 2^15, 45 bits', () => {
  for (const { name, range, counts } of CASES)
    for (const degree of [59, 119] as const)
      it(`${name} on [${range}], degree ${degree}`, async () => {
        const polynomial = approximate(name, { range, degree, method: 'chebyshev' }) as SeriesPolynomial
        const { operations, depth } = chebyshevPolynomial(polynomial.series.coefficients)
        const [products, relinearizations] = counts[degree]
        expect(operations).toMatchObject({ products, relinearizations })
        expect(depth).toBe(Math.ceil(Math.log2(degree + 1)))
        const circuit = prepareActivation(polynomial, { normalizedInput: true })
        const last = parameters.maxSlots - 1
        const slots = Float64Array.from({ length: last + 1 }, (_, i) => (2 * i - last) / last)
        const { encrypted, clear, level, scaleRatio, seconds } = await runner.run(circuit.apply, slots)
        expect(level).toBe(parameters.maxLevel - depth)
        expect(scaleRatio).toBeCloseTo(1, 12)
        const xs = slots.map((t) => 0.5 * (range[0] + range[1]) + 0.5 * (range[1] - range[0]) * t)
        const want = xs.map((x) => forwardPolynomial(polynomial, x))
        expect(bitsBetween(clear, want)).toBeGreaterThan(35)
        const bits = bitsBetween(encrypted, clear)
        console.log(
          `${name} on [${range}], degree ${degree}: ${products} products, ${relinearizations} relinearisations, depth ${depth}, ` +
            `${seconds.toFixed(2)} s, ${bits.toFixed(1)} bits, polynomial ${(-Math.log2(polynomial.certifiedError)).toFixed(1)} bits`,
        )
        expect(bits).toBeGreaterThan(20)
        const exact = xs.map(activationFunction(name).evaluate)
        expect(2 ** -bitsBetween(encrypted, exact)).toBeLessThan(polynomial.certifiedError + 2 * 2 ** -bits)
      })
})
