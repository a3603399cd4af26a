import { describe, expect, it } from 'vitest'
import { createClearEngine } from '../../engines/clear/index.ts'
import { GaussianSource, recordCircuit } from '../../engines/noise/index.ts'
import { createPlanEngine } from '../../engines/plan/index.ts'
import { insecureParameters } from '../../parameters/create-parameters.ts'
import type { AnyParameters } from '../../parameters/parameters.ts'
import { oneprime40 } from '../../testing/test-parameters.ts'
import { evaluateChebyshev, evaluateComposite, evaluatePolynomial } from './evaluate.ts'
import { chebyshevPolynomial, type Polynomial } from './polynomial.ts'

/** Interpolation at the Chebyshev nodes; `parity` drops coefficients that are zero but for rounding. */
function interpolate(degree: number, f: (x: number) => number, parity?: 'even' | 'odd'): Polynomial {
  const nodes = Array.from({ length: degree + 1 }, (_, i) => ((i + 0.5) * Math.PI) / (degree + 1))
  const values = nodes.map((a) => f(Math.cos(a)))
  const coefficients = nodes.map((_, k) => {
    if (parity !== undefined && k % 2 !== (parity === 'even' ? 0 : 1)) return 0
    return ((k === 0 ? 1 : 2) * values.reduce((sum, v, i) => sum + v * Math.cos(k * nodes[i]!), 0)) / nodes.length
  })
  return chebyshevPolynomial(coefficients)
}

const relu = (x: number) => Math.max(x, 0)
const sigmoid = (x: number) => 1 / (1 + Math.exp(-8 * x))
const cosine = (x: number) => Math.cos(13 * x)
const steps = [2, 3, 3, 4].map((slope, i) => interpolate([7, 15, 15, 27][i]!, (x) => Math.tanh(slope * x), 'odd'))

const functions: [string, readonly Polynomial[]][] = [
  ['ReLU 7', [interpolate(7, relu)]],
  ['ReLU 15', [interpolate(15, relu)]],
  ['sigmoid 15', [interpolate(15, sigmoid)]],
  ['sigmoid 27', [interpolate(27, sigmoid)]],
  ['cosine 30', [interpolate(30, cosine, 'even')]],
  ['cosine 59', [interpolate(59, cosine)]],
  ['ReLU 59', [interpolate(59, relu)]],
  ['sigmoid 63', [interpolate(63, sigmoid)]],
  ['ReLU 63', [interpolate(63, relu)]],
  ['ReLU 119', [interpolate(119, relu)]],
  ['sign 7, 15, 15, 27', steps],
]

/** Uniform, crowded at the ends, crowded in the middle. */
const distributions: [string, (source: GaussianSource) => number][] = [
  ['uniform', (source) => 2 * source.uniform() - 1],
  ['arcsine', (source) => Math.cos(Math.PI * source.uniform())],
  [
    'normal',
    (source) => {
      for (;;) {
        const x = source.next() / 4
        if (Math.abs(x) <= 1) return x
      }
    },
  ],
]

const parameterSets: [string, AnyParameters][] = [
  ['30 bits', insecureParameters({ logN: 10, levels: 16, scaleBits: 30 })],
  ['40 bits', insecureParameters({ logN: 10, levels: 16, scaleBits: 40 })],
  ['56 bits, two primes a level', insecureParameters({ logN: 10, levels: 16, scaleBits: 56 })],
]

/** How much larger, in bits, the simulated error is than the predicted one: of the result, and of what the circuit adds. */
function compare(parameters: AnyParameters, polynomials: readonly Polynomial[], draw: (s: GaussianSource) => number) {
  const source = new GaussianSource(23)
  const x = Float64Array.from({ length: parameters.maxSlots }, () => draw(source))
  const samples = Float64Array.from({ length: 512 }, () => draw(source))
  const noisy = createClearEngine(parameters, { noise: { seed: 11 } })
  const input = noisy.encryptClear(x)
  const start = noisy.readClear(input)
  const got = noisy.readClear(evaluateComposite(noisy, input, polynomials))
  let total = 0
  let added = 0
  for (const [i, re] of x.entries()) {
    const want = polynomials.reduce((v, p) => p.at(v), { re, im: 0 })
    const wantOfNoisy = polynomials.reduce((v, p) => p.at(v), { re: start.re[i]!, im: start.im[i]! })
    total += (got.re[i]! - want.re) ** 2 + (got.im[i]! - want.im) ** 2
    added += (got.re[i]! - wantOfNoisy.re) ** 2 + (got.im[i]! - wantOfNoisy.im) ** 2
  }
  const plan = createPlanEngine(parameters)
  const predicted = plan.estimate(evaluateComposite(plan, plan.input(), polynomials, { samples })).error
  const byDefault = plan.estimate(evaluateComposite(plan, plan.input(), polynomials)).error
  const response = recordCircuit(parameters, input, { values: samples }, (e, a) => evaluateComposite(e, a, polynomials))
  const bits = (sum: number, prediction: number) => Math.log2(Math.sqrt(sum / x.length) / prediction)
  return { total: bits(total, predicted), added: bits(added, response.added), byDefault: bits(total, byDefault) }
}

describe.each(parameterSets)('predicted error of polynomials, %s', (_, parameters) => {
  describe.each(distributions)('%s inputs', (_, draw) => {
    it.each(functions)('%s', (_, polynomials) => {
      const { total, added, byDefault } = compare(parameters, polynomials, draw)
      // steep composites depend on the few samples on the slope
      const tolerance = polynomials.length === 1 ? 0.25 : 1
      expect(Math.abs(total)).toBeLessThan(tolerance)
      expect(Math.abs(added)).toBeLessThan(tolerance)
      expect(Math.abs(byDefault)).toBeLessThan(1)
    })
  })
})

it('predicts by default the error of a composite whose slope only a few slots meet', () => {
  const parameters = insecureParameters({ logN: 13, levels: 12, scaleBits: 40 })
  const slope = (x: number) => interpolate(15, (y) => Math.tanh(4 * y), 'odd').atReal(x)
  const polynomials = [1, 2, 3].map(() => interpolate(15, slope, 'odd'))
  const { byDefault } = compare(parameters, polynomials, (source) => 2 * source.uniform() - 1)
  expect(Math.abs(byDefault)).toBeLessThan(0.75)
})

describe('predictions', () => {
  const parameters = oneprime40
  const p = interpolate(15, sigmoid)
  const slope = (x: number) => (p.atReal(x + 1e-6) - p.atReal(x - 1e-6)) / 2e-6

  it('follow the samples, the level and the error of the input', () => {
    const plan = createPlanEngine(parameters)
    const error = (sample: number, level: number, inputError: number) =>
      plan.estimate(
        evaluateChebyshev(plan, plan.input({ level, error: inputError }), p, { samples: Float64Array.of(sample) }),
      ).error
    for (const x of [0, 0.25, 0.9]) expect(error(x, 8, 1e-3) / (1e-3 * Math.abs(slope(x)))).toBeCloseTo(1, 4)
    expect(error(0, 8, 2e-3) / error(0, 8, 1e-3)).toBeCloseTo(2, 4)
    expect(error(0, 5, 0)).toBeGreaterThan(0)
    expect(error(0, 5, 0)).not.toBe(error(0, 8, 0))
  })

  it('remember the last circuit, but not its samples by reference', () => {
    const plan = createPlanEngine(parameters)
    const samples = Float64Array.of(0)
    const run = () => plan.estimate(evaluateChebyshev(plan, plan.input({ error: 1e-3 }), p, { samples })).error
    const steep = run()
    expect(run()).toBe(steep)
    samples[0] = 0.9
    expect(run() / (1e-3 * Math.abs(slope(0.9)))).toBeCloseTo(1, 4)
    expect(run()).toBeLessThan(steep)
  })

  it('stretch their samples to the magnitude for the power basis', () => {
    const plan = createPlanEngine(parameters)
    for (const magnitude of [0.1, 3]) {
      const y = plan.estimate(evaluatePolynomial(plan, plan.input({ magnitude, error: 1e-3 }), [0, 0, 1]))
      expect(y.error / (2e-3 * magnitude)).toBeCloseTo(1, 3)
      expect(y.magnitude / magnitude ** 2).toBeGreaterThan(1)
    }
  })

  it('weight their samples', () => {
    const plan = createPlanEngine(parameters)
    const error = (samples: number[], weights?: number[]) => {
      const options = { samples: Float64Array.from(samples), ...(weights && { weights: Float64Array.from(weights) }) }
      return plan.estimate(evaluateChebyshev(plan, plan.input(), p, options)).error
    }
    expect(error([0, 0.9], [3, 1]) / error([0, 0, 0, 0.9])).toBeCloseTo(1, 9)
    expect(error([0, 0.9])).not.toBeCloseTo(error([0, 0.9], [3, 1]), 12)
  })

  it('take complex samples', () => {
    const plan = createPlanEngine(parameters)
    const samples = { re: Float64Array.of(0.3, -0.6), im: Float64Array.of(0.2, 0.1) }
    const y = evaluateChebyshev(plan, plan.input({ error: 1e-3 }), [0, 0, 1], { samples })
    // T_2' = 4 x
    const want = 1e-3 * 4 * Math.sqrt((0.3 ** 2 + 0.2 ** 2 + 0.6 ** 2 + 0.1 ** 2) / 2)
    expect(plan.estimate(y).error / want).toBeCloseTo(1, 4)
  })
})
