import { InvalidArgumentError } from '@he-ml/ckks-core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type ActivationFunction,
  activationFunction,
  activationIdentity,
  approximate,
  certifySeries,
  clip,
  customActivation,
  elu,
  forwardPolynomial,
  hardSigmoid,
  interpolateChebyshev,
  leakyRelu,
} from './index.ts'

const swish = (x: number) => x / (1 + Math.exp(-x))
const every: readonly ActivationFunction[] = [
  activationFunction('softplus'),
  activationFunction('hardSwish'),
  leakyRelu(),
  leakyRelu(-0.5),
  leakyRelu(1.5),
  elu(),
  elu(-0.7),
  hardSigmoid(),
  hardSigmoid(0.2, 0.3),
  clip(0, 6),
  clip(-1, 1),
  clip(-Infinity, 2),
  clip(-0.25, Infinity),
  customActivation({ name: 'own', evaluate: swish }),
  customActivation({ name: 'bent', evaluate: (x) => Math.abs(x - 1) - Math.max(0, -x), kinks: [0, 1] }),
]

function sampledError(f: ActivationFunction, polynomial: ReturnType<typeof approximate>, points = 4001): number {
  const [lo, hi] = polynomial.range
  let worst = 0
  for (let i = 0; i < points; i++) {
    const x = Math.min(hi, lo + ((hi - lo) * i) / (points - 1))
    worst = Math.max(worst, Math.abs(f.evaluate(x) - forwardPolynomial(polynomial, x)))
  }
  return worst
}

describe('the functions', () => {
  it.each([
    ['softplus', activationFunction('softplus'), [-800, 0, 1, 800], [0, Math.LN2, Math.log(1 + Math.E), 800]],
    ['hardSwish', activationFunction('hardSwish'), [-4, -1.5, 0, 1.5, 4], [-0, -0.375, 0, 1.125, 4]],
    ['leakyRelu', leakyRelu(0.1), [-2, 0, 3], [-0.2, 0, 3]],
    ['elu', elu(2), [-1, 0, 3], [2 * Math.expm1(-1), 0, 3]],
    ['hardSigmoid', hardSigmoid(0.2, 0.5), [-3, -1, 0, 1, 3], [0, 0.3, 0.5, 0.7, 1]],
    ['clip', clip(-1, 6), [-2, -1, 0.5, 7], [-1, -1, 0.5, 6]],
  ] as const)('%s has its values', (_, f, inputs, wanted) => {
    for (const [i, x] of inputs.entries()) expect(f.evaluate(x)).toBeCloseTo(wanted[i]!, 12)
  })

  it('have the slopes, the curvature and the symmetry that they tell', () => {
    for (const { name, evaluate, derivative, curvature, kinks, symmetry } of every)
      for (let x = -9.013; x < 9; x += 0.061) {
        const h = 1e-4
        if (kinks.some((kink) => Math.abs(kink - x) < 2 * h)) continue
        const slope = (evaluate(x + h) - evaluate(x - h)) / (2 * h)
        const bend = (evaluate(x + h) - 2 * evaluate(x) + evaluate(x - h)) / h ** 2
        if (derivative) expect(derivative(x), `${name} at ${x}`).toBeCloseTo(slope, 6)
        if (curvature !== undefined) expect(Math.abs(bend), `${name} at ${x}`).toBeLessThan(curvature + 1e-5)
        if (!symmetry) continue
        const rest = (at: number) => evaluate(at) - symmetry.offset - symmetry.slope * at
        expect(rest(-x), `${name} at ${x}`).toBeCloseTo(symmetry.parity === 'odd' ? -rest(x) : rest(x), 12)
      }
  })

  it('are positively homogeneous where they say so', () => {
    for (const { positivelyHomogeneous, evaluate } of every.filter((f) => f.positivelyHomogeneous))
      for (const x of [-3, -0.2, 0, 0.7])
        expect([positivelyHomogeneous, evaluate(2.5 * x)]).toEqual([true, expect.closeTo(2.5 * evaluate(x), 12)])
    expect(every.filter((f) => f.positivelyHomogeneous).map(({ name }) => name)).toEqual([
      'leakyRelu(0.01)',
      'leakyRelu(-0.5)',
      'leakyRelu(1.5)',
    ])
  })
})

describe('their polynomials', () => {
  it('have errors of at least the sampled one, and little more, by every method', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...every),
        fc.constantFrom('remez', 'chebyshev', 'least-squares' as const),
        fc.integer({ min: 3, max: 24 }),
        fc.double({ min: 1, max: 10, noNaN: true }),
        fc.double({ min: -1, max: 1, noNaN: true }),
        (f, method, degree, half, lean) => {
          const range = [-half * (1 - 0.5 * lean), half * (1 + 0.5 * lean)] as const
          const polynomial = approximate(f, { range, degree, method })
          const sampled = sampledError(f, polynomial)
          expect(polynomial.function).toBe(f.name)
          expect(polynomial.certifiedError).toBeGreaterThanOrEqual(sampled)
          expect(polynomial.certifiedError).toBeLessThanOrEqual(1.05 * sampled + 1e-9)
        },
      ),
      { numRuns: 120 },
    )
  })

  it('have errors that are measured much as they are proven', () => {
    const series = interpolateChebyshev(swish, 9, [-6, 5])
    const proven = certifySeries('silu', series)
    const measured = certifySeries(customActivation({ name: 'own', evaluate: swish }), series)
    expect(measured.certified).toBeGreaterThanOrEqual(proven.sampled)
    expect(measured.certified).toBeLessThan(1.01 * proven.certified)
  })

  it('meet a wanted error', () => {
    for (const f of every) {
      const polynomial = approximate(f, { range: [-4, 7], error: 0.1 })
      expect(sampledError(f, polynomial), f.name).toBeLessThanOrEqual(0.1)
    }
  })
})

describe('activationIdentity', () => {
  it('is the name for the catalogue, and of each other function another', () => {
    expect(activationIdentity('relu')).toBe('relu')
    expect(activationIdentity(activationFunction('softplus'))).toBe('softplus')
    expect(new Set(every.map((f) => JSON.stringify(activationIdentity(f)))).size).toBe(every.length)
  })
  it('tells functions of one name apart by their values and versions', () => {
    const own = (evaluate: (x: number) => number, version?: string) =>
      JSON.stringify(activationIdentity(customActivation({ name: 'own', evaluate, ...(version ? { version } : {}) })))
    expect(own(swish)).toBe(own((x) => swish(x)))
    expect(own(swish)).not.toBe(own((x) => swish(x) + 1e-6))
    expect(own(swish)).not.toBe(own(swish, '2'))
    expect(own((x) => 1 / (x + 4))).toContain('"Infinity"')
    expect(own((x) => swish(x) * (1 + 2 ** -51))).toBe(own(swish))
  })
})

describe('refused', () => {
  it.each([
    [() => leakyRelu(Number.NaN), /leakyRelu: slope must be a finite number, got NaN/],
    [() => elu(Infinity), /elu: alpha/],
    [() => hardSigmoid(0), /hardSigmoid: alpha must be positive, got 0/],
    [() => hardSigmoid(1, Number.NaN), /hardSigmoid: beta/],
    [() => clip(1, 1), /clip: expected bounds/],
    [() => clip(-Infinity, Infinity), /clip: expected bounds/],
    [() => customActivation({ name: 'relu', evaluate: Math.abs }), /name of its own.*got "relu"/],
    [() => customActivation({ name: '', evaluate: Math.abs }), /name of its own/],
    [() => customActivation({ name: 'a', version: '', evaluate: Math.abs }), /"a": its version/],
    [() => customActivation({ name: 'a', evaluate: Math.log }), /"a": expected a finite value at 0.*got -Infinity/],
    [() => customActivation({ name: 'a', evaluate: Math.abs, kinks: [Number.NaN] }), /"a": kinks/],
    [() => activationFunction({ ...leakyRelu(), name: 'relu' }), /"relu" is a function of the catalogue/],
    [() => approximate({ ...leakyRelu(), name: 'square' }, { range: [-1, 1], degree: 3 }), /of the catalogue/],
  ])('%#', (make, message) => {
    expect(make).toThrow(message)
    expect(make).toThrow(InvalidArgumentError)
  })
})
