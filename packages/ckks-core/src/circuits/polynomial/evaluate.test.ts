import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createClearEngine } from '../../engines/clear/index.ts'
import { createPlanEngine } from '../../engines/plan/index.ts'
import { LevelError, MissingKeyError } from '../../errors/errors.ts'
import { SCALE_TOLERANCE } from '../../port/operand-checks.ts'
import { oneprime40, testParameters } from '../../testing/test-parameters.ts'
import { evaluateChebyshev, evaluateComposite, evaluatePolynomial } from './evaluate.ts'
import { chebyshevPolynomial, Polynomial, powerPolynomial } from './polynomial.ts'
import { polynomialDepth } from './polynomial-plan.ts'

const SLOTS = 8

const coefficients = (length: number) =>
  fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: length, maxLength: length })

/** Degree 1 to 63, leading coefficient away from zero, some coefficients zero. */
const chebyshevCase = fc
  .record({
    degree: fc.integer({ min: 1, max: 63 }),
    parity: fc.constantFrom('none', 'odd', 'even'),
    complex: fc.boolean(),
  })
  .chain(({ degree, parity, complex }) =>
    fc.record({ re: coefficients(degree + 1), im: coefficients(degree + 1) }).map(({ re, im }) => {
      const keep = (k: number) => parity === 'none' || k % 2 === degree % 2
      re[degree] = 0.75
      return {
        re: Float64Array.from(re, (c, k) => (keep(k) ? c : 0)),
        ...(complex ? { im: Float64Array.from(im, (c, k) => (keep(k) ? c : 0)) } : {}),
      }
    }),
  )

describe.each(testParameters)('polynomials, %s', (_, parameters) => {
  it('equal Clenshaw evaluation at optimal depth and exact scale, degree 1 to 63', () => {
    const engine = createClearEngine(parameters)
    const inputs = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: SLOTS, maxLength: SLOTS })
    fc.assert(
      fc.property(chebyshevCase, inputs, (series, xs) => {
        const x = engine.encryptClear(Float64Array.from(xs))
        const p = chebyshevPolynomial(series)
        const y = evaluateChebyshev(engine, x, p)
        expect(x.level - y.level).toBe(Math.ceil(Math.log2(p.degree + 1)))
        expect(Math.abs(y.scale / parameters.scaleAt(y.level) - 1)).toBeLessThan(SCALE_TOLERANCE)
        const got = engine.readClear(y)
        for (const [i, at] of xs.entries()) {
          const want = p.at({ re: at, im: 0 })
          expect(Math.hypot(got.re[i]! - want.re, got.im[i]! - want.im)).toBeLessThan(1e-9)
        }
        x.dispose()
        y.dispose()
        expect(engine.memory().ciphertexts).toBe(0)
      }),
      { numRuns: 150 },
    )
  })

  it('keeps the predicted precision under noise', () => {
    fc.assert(
      fc.property(chebyshevCase, fc.integer(), (series, seed) => {
        const p = chebyshevPolynomial(series)
        const noisy = createClearEngine(parameters, { noise: { seed } })
        const plan = createPlanEngine(parameters)
        const xs = Float64Array.from({ length: SLOTS }, (_, i) => Math.cos((i + 0.5) * (Math.PI / SLOTS)))
        const got = noisy.readClear(evaluateChebyshev(noisy, noisy.encryptClear(xs), p))
        const { precisionBits } = plan.estimate(evaluateChebyshev(plan, plan.input({ slots: SLOTS }), p))
        let worst = 0
        for (const [i, x] of xs.entries()) {
          const want = p.at({ re: x, im: 0 })
          worst = Math.max(worst, Math.hypot(got.re[i]! - want.re, got.im[i]! - want.im))
        }
        // the worst of eight slots near the ends of the interval, against a root mean square
        expect(-Math.log2(worst)).toBeGreaterThan(precisionBits - 5)
      }),
      { numRuns: 60 },
    )
  })

  it('lands on any wanted scale', () => {
    const engine = createClearEngine(parameters)
    const x = engine.encryptClear(Float64Array.of(0.3, -0.7))
    for (const targetScale of [parameters.scale / 3, parameters.scale * 5]) {
      const y = evaluateChebyshev(engine, x, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], { targetScale })
      expect(Math.abs(y.scale / targetScale - 1)).toBeLessThan(SCALE_TOLERANCE)
    }
  })

  it('takes inputs whose scale is not nominal', () => {
    const engine = createClearEngine(parameters)
    const x = engine.encryptClear(Float64Array.of(0.3, -0.7), { level: 6, scale: parameters.scale * 1.37 })
    const p = chebyshevPolynomial([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, -0.5, 0.3, 0.2])
    const y = evaluateChebyshev(engine, x, p)
    expect(Math.abs(y.scale / parameters.scaleAt(y.level) - 1)).toBeLessThan(SCALE_TOLERANCE)
    expect(engine.readClear(y).re[1]).toBeCloseTo(p.atReal(-0.7), 10)
  })
})

describe('evaluatePolynomial', () => {
  it('evaluates power series of degree 2 to 4 and more', () => {
    const engine = createClearEngine(oneprime40)
    const x = engine.encryptClear(Float64Array.of(-2, -0.5, 0.5, 3))
    for (const c of [
      [1, 2, 3],
      [0, 0, 0, 1],
      [0.5, 0, 0.25, 0, 2],
      [1, 1, 1, 1, 1, 1, 1, 1],
    ]) {
      const y = evaluatePolynomial(engine, x, c)
      expect(y.level).toBe(8 - polynomialDepth(c.length - 1))
      const want = [-2, -0.5, 0.5, 3].map((v) => c.reduceRight((sum, ck) => sum * v + ck, 0))
      for (const [i, w] of want.entries()) expect(engine.readClear(y).re[i]).toBeCloseTo(w, 9)
    }
  })

  it('composes', () => {
    const engine = createClearEngine(oneprime40)
    const x = engine.encryptClear(Float64Array.of(-0.9, -0.1, 0.1, 0.9))
    // (3x - x^3)/2 twice and an odd Chebyshev series of degree 7
    const parts = [
      powerPolynomial([0, 1.5, 0, -0.5]),
      powerPolynomial([0, 1.5, 0, -0.5]),
      chebyshevPolynomial([0, 1.2, 0, -0.3, 0, 0.1, 0, -0.05]),
    ]
    const y = evaluateComposite(engine, x, parts)
    expect(y.level).toBe(1)
    const want = parts.reduce((v, p) => p.atReal(v), 0.1)
    expect(engine.readClear(y).re[2]).toBeCloseTo(want, 10)
    expect(() => evaluateComposite(engine, y, parts)).toThrow(LevelError)
  })

  it('says how many levels it wants', () => {
    const engine = createClearEngine(oneprime40)
    const x = engine.encryptClear(Float64Array.of(1), { level: 2 })
    expect(() => evaluateChebyshev(engine, x, [1, 1, 1, 1, 1])).toThrow(/degree 4: expected level >= 3, got 2/)
  })

  it('gives everything back, also when a key is missing halfway', () => {
    const keys = { relinearization: 6, rotations: [] }
    const engine = createClearEngine(oneprime40, { keys })
    const x = engine.encryptClear(new Float64Array(SLOTS), { level: 8 })
    const before = engine.memory().total
    expect(() => evaluateChebyshev(engine, x, [1, 2, 3, 4, 5])).toThrow(MissingKeyError)
    const lower = engine.dropLevel(x, 6)
    evaluateChebyshev(engine, lower, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]).dispose()
    lower.dispose()
    expect(engine.memory().total).toBe(before)
  })

  it('drops primes that nobody reads any more', () => {
    const engine = createPlanEngine(oneprime40)
    const x = engine.input()
    const one = engine.memory().ciphertexts
    evaluateChebyshev(
      engine,
      x,
      Array.from({ length: 32 }, (_, k) => 1 / (k + 1)),
    ).dispose()
    expect(engine.memory().ciphertexts).toBe(one)
    expect(engine.memory().peak - engine.memory().keys - engine.memory().scratch).toBeLessThan(14 * one)
    expect(engine.report().totals.dropLevel).toBeLessThanOrEqual(14)
  })

  it('refuses constants', () => {
    expect(() => chebyshevPolynomial([1, 0, 1e-30])).toThrow(/constant/)
    expect(() => chebyshevPolynomial([])).toThrow(/coefficients/)
    expect(() => chebyshevPolynomial([1, Number.NaN])).toThrow(/finite/)
  })
})

describe('planned operations', () => {
  it('are what runs', () => {
    fc.assert(
      fc.property(chebyshevCase, fc.constantFrom('chebyshev', 'power'), (series, basis) => {
        const p = new Polynomial(basis as 'chebyshev' | 'power', series)
        const engine = createPlanEngine(oneprime40)
        const y = evaluatePolynomial(engine, engine.input({ slots: SLOTS }), p)
        expect(y.level).toBe(8 - p.depth)
        const { totals } = engine.report()
        expect({
          products: totals.mul ?? 0,
          relinearizations: (totals.relinearize ?? 0) + (totals.relinearizeRescale ?? 0),
          rescales: (totals.rescale ?? 0) + (totals.relinearizeRescale ?? 0),
          scalarProducts: totals.mulScalar ?? 0,
        }).toEqual(p.operations)
      }),
      { numRuns: 100 },
    )
  })

  it('stay near the square root of the degree', () => {
    const products = [3, 7, 15, 31, 63].map(
      (d) => chebyshevPolynomial(Array.from({ length: d + 1 }, (_, k) => 1 / (k + 1))).operations.relinearizations,
    )
    expect(products).toMatchInlineSnapshot(`
      [
        2,
        4,
        7,
        10,
        15,
      ]
    `)
  })

  it('are fewer for odd series', () => {
    const odd = chebyshevPolynomial(Array.from({ length: 32 }, (_, k) => (k % 2 ? 1 / k : 0))).operations
    const full = chebyshevPolynomial(Array.from({ length: 32 }, (_, k) => 1 / (k + 1))).operations
    expect(odd.relinearizations).toBeLessThanOrEqual(full.relinearizations)
    expect(odd.scalarProducts).toBeLessThanOrEqual(0.75 * full.scalarProducts)
  })
})
