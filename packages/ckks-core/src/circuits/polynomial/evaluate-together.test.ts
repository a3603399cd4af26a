import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createClearEngine } from '../../engines/clear/index.ts'
import { createPlanEngine } from '../../engines/plan/index.ts'
import { InvalidArgumentError, LevelError } from '../../errors/errors.ts'
import { oneprime40 as parameters } from '../../testing/test-parameters.ts'
import { evaluatePolynomial } from './evaluate.ts'
import { evaluateTogether } from './evaluate-together.ts'
import { chebyshevPolynomial, type Polynomial, powerPolynomial } from './polynomial.ts'

const coefficients = (length: number) =>
  fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: length, maxLength: length })

const polynomials = fc.boolean().chain((chebyshev) =>
  fc.array(
    fc.integer({ min: 1, max: 31 }).chain((degree) =>
      fc.record({ re: coefficients(degree + 1), im: coefficients(degree + 1) }).map(({ re, im }) => {
        re[degree] = 0.75
        const complex = { re: Float64Array.from(re), im: Float64Array.from(im) }
        return chebyshev ? chebyshevPolynomial(complex) : powerPolynomial(complex)
      }),
    ),
    { minLength: 1, maxLength: 4 },
  ),
)

describe('evaluateTogether', () => {
  it('gives each polynomial as if it were alone, at its own level', () => {
    const engine = createClearEngine(parameters)
    fc.assert(
      fc.property(polynomials, fc.double({ min: -1, max: 1, noNaN: true }), (list, at) => {
        const x = engine.encryptClear(Float64Array.of(at, -at))
        const results = evaluateTogether(engine, x, list)
        for (const [i, p] of list.entries()) {
          expect(results[i]!.level).toBe(x.level - p.depth)
          expect(results[i]!.scale / parameters.scaleAt(results[i]!.level)).toBeCloseTo(1, 12)
          const got = engine.readClear(results[i]!)
          const want = p.at({ re: at, im: 0 })
          expect(Math.hypot(got.re[0]! - want.re, got.im![0]! - want.im)).toBeLessThan(1e-9)
        }
        for (const handle of [x, ...results]) handle.dispose()
        expect(engine.memory().ciphertexts).toBe(0)
      }),
      { numRuns: 100 },
    )
  })

  it('makes shared powers once', () => {
    const list: readonly Polynomial[] = [0.1, 0.2, 0.3, 0.4].map((c) =>
      powerPolynomial(Array.from({ length: 16 }, (_, k) => c + k)),
    )
    const relinearizations = (work: (engine: ReturnType<typeof createPlanEngine>) => void) => {
      const engine = createPlanEngine(parameters)
      work(engine)
      return engine.report().totals.relinearizeRescale!
    }
    const together = relinearizations((e) => evaluateTogether(e, e.input(), list))
    const apart = relinearizations((e) => {
      const x = e.input()
      for (const p of list) evaluatePolynomial(e, x, p)
    })
    expect(together).toBeLessThan(0.6 * apart)
  })

  it('refuses none, different bases, and too few levels, and leaves nothing behind', () => {
    const engine = createClearEngine(parameters)
    const x = engine.encryptClear(Float64Array.of(1), { level: 2 })
    const bytes = engine.memory().ciphertexts
    expect(() => evaluateTogether(engine, x, [])).toThrow(InvalidArgumentError)
    expect(() => evaluateTogether(engine, x, [powerPolynomial([0, 1]), chebyshevPolynomial([0, 1])])).toThrow(/bases/)
    const deep = powerPolynomial(new Array(9).fill(1))
    expect(() => evaluateTogether(engine, x, [powerPolynomial([0, 1]), deep])).toThrow(LevelError)
    expect(engine.memory().ciphertexts).toBe(bytes)
  })
})
