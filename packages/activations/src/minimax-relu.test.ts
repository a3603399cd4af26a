import { createClearEngine, createParameters, createPlanEngine, PlanError } from '@he-ml/ckks-core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { approximate, findMinimax, forwardPolynomial, minimaxRelu, prepareActivation } from './index.ts'

const relu = (x: number) => Math.max(0, x)

/** Largest errors on a fine grid, denser near 0: everywhere, and for |x| >= gap. */
function sampledErrors({ polynomial }: ReturnType<typeof minimaxRelu>, gap: number) {
  const reach = polynomial.range[1]
  let [everywhere, outside] = [0, 0]
  for (let i = -4000; i <= 4000; i++) {
    const x = reach * Math.sign(i) * (i / 4000) ** 2
    const error = Math.abs(relu(x) - forwardPolynomial(polynomial, x))
    everywhere = Math.max(everywhere, error)
    if (Math.abs(x) >= gap) outside = Math.max(outside, error)
  }
  return { everywhere, outside }
}

describe('minimaxRelu', () => {
  const wanted = { error: 2 ** -7, gap: 0.03, gapError: 2 ** -10 } as const

  it('takes degree 48 and 6 levels for 2^-7 everywhere and 2^-10 outside |x| < 0.03', () => {
    const found = minimaxRelu(wanted)
    expect(found.polynomial).toMatchObject({ kind: 'series', degree: 48, depth: 6, method: 'remez' })
    expect(found.operations).toEqual({ products: 11, relinearizations: 9, rescales: 12, scalarProducts: 21 })
    expect(found.polynomial.certifiedError).toBeLessThanOrEqual(wanted.error)
    expect(found.certifiedGapError).toBeLessThanOrEqual(wanted.gapError)
    const { everywhere, outside } = sampledErrors(found, wanted.gap)
    expect(everywhere).toBeLessThanOrEqual(found.polynomial.certifiedError)
    expect(everywhere).toBeGreaterThan(0.98 * found.polynomial.certifiedError)
    expect(outside).toBeLessThanOrEqual(found.certifiedGapError)
    expect(minimaxRelu(wanted)).toEqual(found)
  })

  it('no circuit of 5 levels could do that: not even the best polynomial of degree 32', () => {
    const { levelledError } = findMinimax((x) => 0.5 * x, {
      intervals: [
        [0, wanted.gap * (1 - 2 ** -40)],
        [wanted.gap, 1],
      ],
      degree: 32,
      parity: 'even',
      weight: (x) => 1 / (x < wanted.gap ? wanted.error : wanted.gapError),
    })
    expect(levelledError).toBeCloseTo(1.473, 3)
    expect(() => minimaxRelu({ ...wanted, maxDepth: 5 })).toThrow(/within depth 5.*allow more depth/)
    expect(() => minimaxRelu({ ...wanted, maxDepth: 5 })).toThrow(PlanError)
  })

  it('meets any pair of errors on any range, and runs what it says', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 2, max: 8.5, noNaN: true }),
        fc.double({ min: 0, max: 3, noNaN: true }),
        fc.double({ min: 0.01, max: 0.5, noNaN: true }),
        fc.constantFrom(1, 7.5, 0.25),
        (bits, extra, gap, reach) => {
          const error = reach * 2 ** -bits
          const options = { range: [-reach, reach] as const, error, gap: gap * reach, gapError: error * 2 ** -extra }
          const found = minimaxRelu(options)
          const { everywhere, outside } = sampledErrors(found, options.gap)
          expect(found.polynomial.certifiedError).toBeLessThanOrEqual(options.error)
          expect(found.certifiedGapError).toBeLessThanOrEqual(options.gapError)
          expect(everywhere).toBeLessThanOrEqual(found.polynomial.certifiedError)
          expect(outside).toBeLessThanOrEqual(found.certifiedGapError)
          const engine = createPlanEngine(createParameters({ logN: 16, levels: 20, scaleBits: 40 }))
          const input = engine.input()
          const circuit = prepareActivation(found.polynomial, { normalizedInput: true })
          expect(input.level - circuit.apply(engine, input).level).toBe(found.polynomial.depth)
          const { totals } = engine.report()
          expect({
            products: totals.mul ?? 0,
            relinearizations: (totals.relinearize ?? 0) + (totals.relinearizeRescale ?? 0),
            rescales: (totals.rescale ?? 0) + (totals.relinearizeRescale ?? 0),
            scalarProducts: totals.mulScalar ?? 0,
          }).toEqual(found.operations)
        },
      ),
      { numRuns: 12 },
    )
  })

  it('takes a composite where steepness is wanted, never deeper than the published degrees (arXiv 2105.10879)', () => {
    for (const [bits, depth] of [
      [10, 10],
      [11, 12],
      [12, 13],
      [13, 14],
    ] as const) {
      const found = minimaxRelu({ error: 2 ** -bits })
      expect(found.polynomial.certifiedError).toBeLessThanOrEqual(2 ** -bits)
      expect(found.polynomial.depth).toBeLessThanOrEqual(depth)
      if (bits > 10) expect(found.polynomial.kind).toBe('composite')
    }
  })

  it('keeps to one method when told to', () => {
    const composite = minimaxRelu({ ...wanted, method: 'composite' })
    expect(composite.polynomial).toMatchObject({ kind: 'composite', depth: 9 })
    expect(composite.polynomial.certifiedError).toBeLessThanOrEqual(wanted.error)
    expect(composite.certifiedGapError).toBeLessThanOrEqual(wanted.gapError)
    expect(minimaxRelu({ error: 2 ** -4, method: 'remez' }).polynomial.kind).toBe('series')
  })

  it('agrees with approximate when there is no gap', () => {
    for (const error of [2 ** -3, 2 ** -5, 2 ** -7]) {
      const found = minimaxRelu({ error, range: [-1, 1] })
      expect(found.certifiedGapError).toBe(found.polynomial.certifiedError)
      const known = approximate('relu', { range: [-1, 1], error })
      expect(found.polynomial.depth).toBeLessThanOrEqual(known.depth)
    }
  })

  it('on a ciphertext', async () => {
    const { polynomial } = minimaxRelu({ ...wanted, range: [-1, 1] })
    await using engine = createClearEngine(createParameters({ logN: 15, levels: 6, scaleBits: 40 }))
    const xs = Float64Array.of(-1, -0.5, -0.03, 0, 0.02, 0.03, 0.7, 1)
    const y = prepareActivation(polynomial).apply(engine, engine.encryptClear(xs))
    expect(y.level).toBe(0)
    const { re } = engine.readClear(y)
    for (const [i, x] of xs.entries()) expect(re[i]).toBeCloseTo(forwardPolynomial(polynomial, x), 9)
  })

  it('a gap far narrower than the errors costs what none does', () => {
    for (const bits of [7, 12]) {
      const narrow = minimaxRelu({ error: 2 ** -6, gap: 1e-9, gapError: 2 ** -bits })
      expect(narrow.certifiedGapError).toBeLessThanOrEqual(2 ** -bits)
      expect(narrow.polynomial.depth).toBe(minimaxRelu({ error: 2 ** -bits }).polynomial.depth)
    }
    expect(() => minimaxRelu({ error: 2 ** -6, gap: 1e-9, gapError: 2 ** -12, maxDepth: 9 })).toThrow(PlanError)
  })

  it('names what is wrong with the options', () => {
    expect(() => minimaxRelu({ error: 0.1, range: [-1, 2] })).toThrow(/symmetric/)
    expect(() => minimaxRelu({ error: 0 })).toThrow(/error must be at least/)
    expect(() => minimaxRelu({ error: 0.1, gap: 0.1 })).toThrow(/go together/)
    expect(() => minimaxRelu({ error: 0.1, gap: 2, gapError: 0.1 })).toThrow(/gap must lie in \(0, 1\)/)
    expect(() => minimaxRelu({ error: 0.1, gap: 0.2, gapError: 0.2 })).toThrow(/gapError must lie in/)
    expect(() => minimaxRelu({ error: 0.1, maxDepth: 0 })).toThrow(/maxDepth/)
    expect(() => minimaxRelu({ error: 2 ** -20, maxDepth: 12 })).toThrow(PlanError)
  })
})
