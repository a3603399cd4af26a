import { createParameters } from '@he-ml/ckks-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bitsBetween, encryptedRunner } from './encrypted.test-helper.ts'
import { approximate, type CompositePolynomial, forwardPolynomial, prepareActivation } from './index.ts'

const DEGREES = [7, 15, 15, 27] as const
const DEPTH = 3 + 4 + 4 + 5

/** Within the 128-bit limit of 1745 bits at N = 2^16. */
const parameters = createParameters({ logN: 16, levels: DEPTH + 1, scaleBits: 45 })

let runner: Awaited<ReturnType<typeof encryptedRunner>>
beforeAll(async () => {
  runner = await encryptedRunner(parameters)
})
afterAll(() => runner[Symbol.asyncDispose]())

/** From -1 to 1 evenly, and from the gap to 1 and back logarithmically. */
function inputs(gap: number): Float64Array {
  const quarter = parameters.maxSlots / 4
  return Float64Array.from({ length: parameters.maxSlots }, (_, i) => {
    if (i < 2 * quarter) return (2 * i) / (2 * quarter - 1) - 1
    return (i % 2 === 0 ? 1 : -1) * gap ** (Math.floor((i - 2 * quarter) / 2) / (quarter - 1))
  })
}

describe('composite minimax polynomials of degrees 7, 15, 15, 27 on ciphertexts, N = 2^16, 45 bits', () => {
  it('relu: 17 levels', async () => {
    const relu = approximate('relu', { range: [-1, 1], method: 'composite', degrees: DEGREES }) as CompositePolynomial
    const xs = inputs(relu.gap)
    const { apply, depth } = prepareActivation(relu)
    expect(depth).toBe(DEPTH + 1)
    const { encrypted, clear, level, scaleRatio, seconds } = await runner.run(apply, xs)
    expect(level).toBe(0)
    expect(scaleRatio).toBeCloseTo(1, 12)
    const want = xs.map((x) => forwardPolynomial(relu, x))
    expect(bitsBetween(clear, want)).toBeGreaterThan(30)
    const bits = bitsBetween(encrypted, want)
    const exactBits = bitsBetween(
      encrypted,
      xs.map((x) => Math.max(0, x)),
    )
    const certified = -Math.log2(relu.certifiedError)
    console.log(
      `relu: ${seconds.toFixed(2)} s, gap 2^${Math.log2(relu.gap).toFixed(2)}, ${bits.toFixed(1)} bits against the polynomial, ` +
        `${exactBits.toFixed(2)} against relu, certified ${certified.toFixed(2)}`,
    )
    expect(bits).toBeGreaterThan(16)
    expect(2 ** -exactBits).toBeLessThan(relu.certifiedError + 2 ** -bits)
  })

  it('sign: 16 levels', async () => {
    const gap = 2 ** -12
    const sign = approximate('sign', { range: [-1, 1], gap, method: 'composite', degrees: DEGREES })
    const xs = inputs(gap)
    const { apply, depth } = prepareActivation(sign)
    expect(depth).toBe(DEPTH)
    const { encrypted, level, scaleRatio, seconds } = await runner.run(apply, xs)
    expect(level).toBe(1)
    expect(scaleRatio).toBeCloseTo(1, 12)
    const outside = (values: Float64Array) => values.filter((_, i) => Math.abs(xs[i]!) >= gap)
    const want = xs.map((x) => forwardPolynomial(sign, x))
    const bits = bitsBetween(outside(encrypted), outside(want))
    const everywhere = bitsBetween(encrypted, want)
    const exactBits = bitsBetween(outside(encrypted), outside(xs.map(Math.sign)))
    const certified = -Math.log2(sign.certifiedError)
    console.log(
      `sign: ${seconds.toFixed(2)} s, ${bits.toFixed(1)} bits against the polynomial outside the gap, ${everywhere.toFixed(1)} ` +
        `everywhere, ${exactBits.toFixed(2)} against sign, certified ${certified.toFixed(2)}`,
    )
    expect(bits).toBeGreaterThan(14)
    expect(2 ** -exactBits).toBeLessThan(sign.certifiedError + 2 ** -bits)
  })
})
