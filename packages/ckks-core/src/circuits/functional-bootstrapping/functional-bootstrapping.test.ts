import { describe, expect, it } from 'vitest'
import { createClearEngine } from '../../engines/clear/index.ts'
import { createPlanEngine } from '../../engines/plan/index.ts'
import { CancelledError, InvalidArgumentError, LevelError, SecurityError } from '../../errors/errors.ts'
import { createParameters, insecureParameters } from '../../parameters/create-parameters.ts'
import { ephemeralLogQP, MAX_LOG_SPARSE_128 } from '../../parameters/ephemeral.ts'
import { RECOMMENDED_MARGIN } from '../../parameters/security.ts'
import { powerPolynomial } from '../polynomial/index.ts'
import { cleaningPolynomial } from './cleaning.ts'
import { createExponential, exponentialAt } from './exponential.ts'
import { fourierExtension } from './fourier-extension.ts'
import { createFunctionalBootstrapping } from './functional-bootstrapping.ts'
import { type FunctionalRequest, functionalLiteral } from './functional-parameters.ts'
import { FUNCTIONAL_SETS, functionalSet } from './functional-sets.ts'
import type { FunctionalSpec } from './functional-spec.ts'
import { gridFunction } from './grid-function.ts'
import { PeriodicFunction } from './periodic-function.ts'
import type { FunctionalEstimate } from './predict-functions.ts'
import { steepStep } from './steep-step.ts'

const SLOTS = 2 ** 9

function small(change: Partial<FunctionalSpec> = {}, bits = 34.98) {
  const base: FunctionalRequest = FUNCTIONAL_SETS['N16-P64']
  const spec = { ...base.spec, slots: SLOTS, functionLevels: 9, ...change }
  const request: FunctionalRequest = { ...base, logN: 10, scaleBits: bits, workBits: bits, spec }
  const parameters = insecureParameters(functionalLiteral({ ...request, specialBits: new Array(13).fill(47.5) }))
  const circuit = createFunctionalBootstrapping(parameters, spec)
  return { parameters, spec, circuit, engine: createClearEngine(parameters, { noise: { seed: 5 } }) }
}

/** Indices of a grid, centred, each several times. */
const indices = (points: number, slots = SLOTS) =>
  Float64Array.from({ length: slots }, (_, i) => ((i * 7) % points) - Math.floor(points / 2))

const grid = (points: number, f: (index: number) => number) =>
  Array.from({ length: points }, (_, i) => i - Math.floor(points / 2)).map((index) => ({ index, value: f(index) }))

/** Runs of even length take the lowest degree. */
const thresholdOf = (points: number) => (points === 2 ? 0 : points % 2 === 0 ? 2 - ((points / 2) % 2) : 1)

const step = (points: number, threshold = thresholdOf(points)) =>
  gridFunction({ points, values: grid(points, (k) => (k >= threshold ? 1 : 0)), cleaned: true })

const fired = (indices: Float64Array, points: number) => indices.map((k) => (k >= thresholdOf(points) ? 1 : 0))

const worst = (got: Float64Array, want: Float64Array) =>
  got.reduce((most, x, i) => Math.max(most, Math.abs(x - want[i]!)), 0)

const rms = (errors: Float64Array) => Math.sqrt(errors.reduce((sum, e) => sum + e * e, 0) / errors.length)

describe('functional bootstrapping on the clear engine, with noise', () => {
  it.each([2, 3, 5, 16, 31, 32, 63, 64, 100])('a step of %i points comes out exact', async (points) => {
    const { circuit, engine } = small()
    const prepared = await circuit.prepare(engine, { periods: [points] })
    const [re, im] = [indices(points), indices(points).reverse()]
    const input = engine.encryptClear({ re, im }, { level: circuit.inputLevel })
    const [spikes] = prepared.evaluate(engine, input, [step(points)], { period: points })
    expect(spikes).toMatchObject({ level: circuit.outputLevel, slots: SLOTS, degree: 1 })
    expect(spikes!.scale / circuit.parameters.scaleAt(circuit.outputLevel)).toBeCloseTo(1, 12)
    const got = engine.readClear(spikes!)
    expect(worst(got.re, fired(re, points))).toBeLessThan(2 ** -9)
    expect(worst(got.im!, fired(im, points))).toBeLessThan(2 ** -9)
    for (const handle of [input, spikes!, prepared]) handle.dispose()
    expect(engine.memory().total).toBe(0)
  })

  it('256 points, with wider scales', async () => {
    const { circuit, engine } = small({}, 41.98)
    const prepared = await circuit.prepare(engine, { periods: [256] })
    const re = indices(256)
    const input = engine.encryptClear(re, { level: circuit.inputLevel })
    const [spikes] = prepared.evaluate(engine, input, [step(256)], { period: 256 })
    expect(worst(engine.readClear(spikes!).re, fired(re, 256))).toBeLessThan(2 ** -9)
  })

  it.each(['real', 'complex'] as const)('several functions at once, few slots, %s content', async (content) => {
    const { circuit, engine } = small({ content, slots: 64 })
    const prepared = await circuit.prepare(engine, { periods: [4] })
    // membranes on 16 multiples of 1/4; three of the points never occur
    const occurs = (k: number) => k >= -7 && k <= 5
    const values = grid(16, (k) => k).filter(({ index }) => occurs(index))
    const reset = gridFunction({
      points: 16,
      values: values.map((v) => ({ ...v, value: (v.index - (v.index >= 4 ? 4 : 0)) / 8 })),
    })
    const parity = gridFunction({ points: 16, values: grid(16, (k) => (k % 2 === 0 ? -3 : 5)), cleaned: true })
    const re = indices(16, 64).map((k) => (occurs(k) ? k : 0) / 4)
    const input = engine.encryptClear(re, { level: circuit.inputLevel + 1 })
    const outputs = prepared.evaluate(engine, input, [step(16, 4), reset, parity], { period: 4 })
    const [spikes, membranes, parities] = outputs.map((y) => engine.readClear(y).re)
    expect(
      worst(
        spikes!,
        re.map((u) => (u >= 1 ? 1 : 0)),
      ),
    ).toBeLessThan(2 ** -12)
    expect(
      worst(
        membranes!,
        re.map((u) => (u - (u >= 1 ? 1 : 0)) / 2),
      ),
    ).toBeLessThan(2 ** -8)
    expect(
      worst(
        parities!,
        re.map((u) => ((4 * u) % 2 === 0 ? -3 : 5)),
      ),
    ).toBeLessThan(2 ** -8)
    for (const handle of [input, ...outputs, prepared]) handle.dispose()
    expect(engine.memory().total).toBe(0)
  })

  it('values beyond the period wrap round', async () => {
    const { circuit, engine } = small({ slots: 16 })
    const prepared = await circuit.prepare(engine, { periods: [16] })
    const re = Float64Array.from({ length: 16 }, (_, i) => i - 24)
    const [y] = prepared.evaluate(engine, engine.encryptClear(re, { level: 3 }), [step(16)], { period: 16 })
    const wrapped = re.map((k) => (((k + 24) % 16) - 8 >= 2 ? 1 : 0))
    expect(worst(engine.readClear(y!).re, wrapped)).toBeLessThan(2 ** -9)
  })

  it('functions of real values: a Fourier extension, and a steepened sine', async () => {
    const { circuit, engine } = small()
    const prepared = await circuit.prepare(engine, { periods: [4] })
    const relu = fourierExtension((u) => Math.max(0, u), { period: 4, range: [-1, 1], degree: 31 })
    const steep = steepStep({
      threshold: 0.25 / 4,
      polynomials: [powerPolynomial([0, 2.5, 0, -1.5]), powerPolynomial([0.5, 0.75, 0, -0.25]), cleaningPolynomial()],
    })
    const re = Float64Array.from({ length: SLOTS }, (_, i) => (2 * i) / SLOTS - 1)
    const [rectified, steepened] = prepared.evaluate(
      engine,
      engine.encryptClear(re, { level: circuit.inputLevel }),
      [relu, steep],
      { period: 4 },
    )
    expect(relu.error).toBeLessThan(0.02)
    expect(
      worst(
        engine.readClear(rectified!).re,
        re.map((u) => Math.max(0, u)),
      ),
    ).toBeLessThan(relu.error + 2 ** -8)
    expect(
      worst(
        engine.readClear(steepened!).re,
        re.map((u) => steep.at(u / 4)),
      ),
    ).toBeLessThan(2 ** -7)
    expect([steep.at(-0.2), steep.at(0.25)].map(Math.round)).toEqual([0, 1])
  })

  it.each(['real', 'complex'] as const)('is as precise as planned, %s content', async (content) => {
    const points = 16
    const { parameters, circuit, engine } = small({ content }, 29.98)
    const values = grid(points, (k) => k).filter(({ index }) => index > -7 && index < 6)
    const functions = [
      gridFunction({ points, values: values.map((v) => ({ ...v, value: v.index >= 2 ? 1 : 0 })) }),
      gridFunction({ points, values: values.map((v) => ({ ...v, value: v.index / 2 })) }),
    ]
    const prepared = await circuit.prepare(engine, { periods: [points] })
    const plan = createPlanEngine(parameters)
    const planned = await circuit.prepare(plan, { periods: [points] })
    const some = values.map(({ index }) => index)
    const re = Float64Array.from({ length: SLOTS }, (_, i) => some[(i * 5) % some.length]!)
    const im = content === 'complex' ? re.toReversed() : new Float64Array(SLOTS)
    const outputs = prepared.evaluate(
      engine,
      engine.encryptClear({ re, im }, { level: circuit.inputLevel }),
      functions,
      { period: points },
    )
    const estimates: FunctionalEstimate[] = []
    const weightless = planned.evaluate(plan, plan.input({ level: circuit.inputLevel, magnitude: 4 }), functions, {
      period: points,
      observe: (estimate) => estimates.push(estimate),
    })
    for (const [i, output] of outputs.entries()) {
      const got = engine.readClear(output)
      const f = (k: number) => functions[i]!.at(k / points)
      const square = re.reduce(
        (sum, k, j) => sum + (got.re[j]! - f(k)) ** 2 + (content === 'complex' ? (got.im![j]! - f(im[j]!)) ** 2 : 0),
        0,
      )
      const bits = -Math.log2(Math.sqrt(square / SLOTS))
      expect(Math.abs(plan.estimate(weightless[i]!).precisionBits - bits)).toBeLessThan(0.75)
    }
    expect(estimates).toHaveLength(content === 'complex' ? 2 : 1)
    expect(estimates[0]!.margin).toBeGreaterThan(100)
    expect(plan.report().keyRequest.conjugation).toBeDefined()
  })

  it('predicts the deviation of the angle: a wider period sees the same error larger', async () => {
    const { parameters, circuit } = small({ content: 'real' })
    const plan = createPlanEngine(parameters)
    const margins: number[] = []
    const input = plan.input({ level: circuit.inputLevel, error: 0.02, magnitude: 2 })
    const prepared = await circuit.prepare(plan, { periods: [16, 64] })
    for (const period of [16, 64])
      prepared.evaluate(plan, input, [step(period)], { period, observe: (e) => void margins.push(e.margin!) })
    // half a step over the real half of an error of 0.02 steps
    for (const margin of margins) expect(margin).toBeCloseTo((0.5 / 0.02) * Math.SQRT2, 0)
  })

  it.each([
    [34.98, 'what a function misses its values by, and the series, which all copies share'],
    [24.98, 'noise, which differs from copy to copy'],
  ])('predicts with scales of %d bits %s', async (bits) => {
    const points = 16
    const values = grid(points, (k) => (k < 3 ? k : k - 3)).slice(1, -1)
    const functions = [gridFunction({ points, values, noise: 0.03 }), gridFunction({ points, values })]
    const { circuit, engine, parameters } = small({}, bits)
    const index = Float64Array.from({ length: SLOTS }, (_, i) => values[i % values.length]!.index)
    const wanted = index.map((k) => (k < 3 ? k : k - 3))
    const prepared = await circuit.prepare(engine, { periods: [points] })
    const input = engine.encryptClear({ re: index, im: index }, { level: circuit.inputLevel })
    const results = prepared.evaluate(engine, input, functions, { period: points })
    const measured = results.map((y) => rms(engine.readClear(y).re.map((v, i) => v - wanted[i]!)))
    const predict = async (betweenCopies: boolean) => {
      const plan = createPlanEngine(parameters, { betweenCopies })
      const planned = await circuit.prepare(plan, { periods: [points] })
      const input = plan.input({ level: circuit.inputLevel, slots: SLOTS })
      return planned.evaluate(plan, input, functions, { period: points }).map((y) => plan.estimate(y).error)
    }
    const [all, differing] = [await predict(false), await predict(true)]
    for (const [i, error] of measured.entries()) {
      // half the square is that of the real part
      expect(all[i]! / Math.SQRT2 / error).toBeGreaterThan(0.7)
      expect(all[i]! / Math.SQRT2 / error).toBeLessThan(1.5)
      if (bits > 30) expect(differing[i]! / all[i]!).toBeLessThan(0.02)
      else expect(differing[i]! / all[i]!).toBeGreaterThan(0.7)
    }
    if (bits > 30) expect(measured[0]! / measured[1]!).toBeGreaterThan(2)
  })

  it('stops at its signal and leaves nothing behind; tells its progress', async () => {
    const { circuit, engine } = small()
    const steps: string[] = []
    await circuit.prepare(engine, { periods: [1, 2], onProgress: (done, total) => void steps.push(`${done}/${total}`) })
    expect(steps.at(-1)).toBe('8/8')
    const other = createClearEngine(circuit.parameters)
    const controller = new AbortController()
    const stopped = circuit.prepare(other, { signal: controller.signal, onProgress: () => controller.abort() })
    await expect(stopped).rejects.toThrow(CancelledError)
    expect(other.memory().total).toBe(0)
  })
})

describe('what cannot be done is refused', () => {
  it.each([
    [{ slots: 100 }, /slots must be a power of two/],
    [{ slots: 1024 }, /slots/],
    [{ coeffsToSlots: 10 }, /coeffsToSlots must be from 1 to 9/],
    [{ slotsToCoeffs: 0 }, /slotsToCoeffs must be from 1 to 9/],
    [{ degree: 128 }, /degree/],
    [{ degree: 7 }, /a series of degree 7 with 4 squarings is 7.5 off/],
    [{ squarings: 9 }, /squarings/],
    [{ functionLevels: 0 }, /functionLevels/],
  ] as const)('%o', (change, message) => {
    const { parameters, spec } = small()
    expect(() => createFunctionalBootstrapping(parameters, { ...spec, ...change })).toThrow(message)
  })
  it('too few levels', async () => {
    const { parameters, spec } = small()
    expect(() => createFunctionalBootstrapping(parameters, { ...spec, functionLevels: 12 })).toThrow(LevelError)
    const shallow = small({ functionLevels: 5 })
    const prepared = await shallow.circuit.prepare(shallow.engine)
    const input = shallow.engine.encryptClear(Float64Array.of(0), { level: 3 })
    expect(() => prepared.evaluate(shallow.engine, input, [step(16), step(64)])).toThrow(
      /function 1 takes 7 levels, the circuit has 5/,
    )
    expect(() => prepared.evaluate(shallow.engine, input, [])).toThrow(InvalidArgumentError)
    expect(() => prepared.evaluate(shallow.engine, input, [step(16)], { period: 3 })).toThrow(/got 0.75/)
    const low = shallow.engine.encryptClear(Float64Array.of(0), { level: 2 })
    expect(() => prepared.evaluate(shallow.engine, low, [step(16)])).toThrow(LevelError)
    await expect(shallow.circuit.prepare(shallow.engine, { periods: [0] })).rejects.toThrow(InvalidArgumentError)
    const memory = shallow.engine.memory().ciphertexts
    expect(memory).toBe(input.disposed ? 0 : memory)
  })
  it('an ephemeral secret that would not be secure', () => {
    const { spec } = functionalSet('N15-P16')
    const literal = functionalLiteral({ ...FUNCTIONAL_SETS['N15-P16'], baseBits: 38.98 })
    expect(() => createFunctionalBootstrapping(createParameters(literal), spec)).toThrow(SecurityError)
  })
})

describe('the exponential', () => {
  it.each([
    [15, 4, 13],
    [31, 3, 28],
    [7, 6, 10.5],
  ])('of degree %i with %i squarings is right to %f bits at every multiple', (degree, squarings, bits) => {
    const exponential = createExponential(degree, squarings)
    expect(-Math.log2(exponential.error)).toBeGreaterThan(bits - 0.5)
    for (let x = -16.5; x <= 16.5; x += 0.0137) {
      const { re, im } = exponentialAt(exponential, x)
      const off = Math.hypot(re - Math.cos(2 * Math.PI * x), im - Math.sin(2 * Math.PI * x))
      expect(off).toBeLessThan(1.05 * exponential.error)
    }
  })
})

describe.each(Object.keys(FUNCTIONAL_SETS))('the set %s', (name) => {
  const { parameters, spec } = functionalSet(name)
  const points = Number(name.split('-P')[1])
  it('is 128-bit secure with 3 % to spare, its ephemeral secret too', () => {
    expect(parameters.security).toBe(128)
    expect(parameters.securityMargin).toBeGreaterThan(
      RECOMMENDED_MARGIN * (parameters.logQP + parameters.securityMargin),
    )
    expect(ephemeralLogQP(parameters)).toBeLessThanOrEqual(MAX_LOG_SPARSE_128[parameters.logN]!)
  })
  it('decides a step of its points with a margin far above 8', async () => {
    const circuit = createFunctionalBootstrapping(parameters, spec)
    const engine = createPlanEngine(parameters)
    const prepared = await circuit.prepare(engine, { periods: [points] })
    let least = Number.POSITIVE_INFINITY
    prepared.evaluate(engine, engine.input({ level: circuit.inputLevel, magnitude: points / 4 }), [step(points)], {
      period: points,
      observe: ({ margin }) => {
        least = Math.min(least, margin!)
      },
    })
    expect(least).toBeGreaterThan(20)
  })
})

describe('periodic functions', () => {
  it('are refused where they are none', () => {
    expect(() => new PeriodicFunction({ re: [1, 2], im: [0] })).toThrow(InvalidArgumentError)
    expect(() => new PeriodicFunction({ re: [1], im: [0] })).toThrow(/constant/)
    expect(() => new PeriodicFunction({ re: [1, Number.NaN], im: [0, 0] })).toThrow(/finite/)
    expect(() => steepStep({ threshold: 2, polynomials: [cleaningPolynomial()] })).toThrow(InvalidArgumentError)
    expect(() => steepStep({ threshold: 0, polynomials: [] })).toThrow(InvalidArgumentError)
    const relu = (u: number) => Math.max(0, u)
    expect(() => fourierExtension(relu, { period: 2, range: [-1, 1], degree: 15 })).toThrow(/shorter than the period/)
    expect(() => fourierExtension(relu, { period: 4, range: [-1, 1], degree: 0 })).toThrow(/degree/)
    expect(() => fourierExtension(() => Number.NaN, { period: 4, range: [-1, 1], degree: 3 })).toThrow(/finite/)
    expect(() => fourierExtension(relu, { period: 4, range: [-1, 1], degree: 7, tolerance: 1e-3 })).toThrow(
      /degree 7 is 0.* off/,
    )
  })
})
