import { describe, expect, it } from 'vitest'
import { type ClearEngine, createClearEngine } from '../../engines/clear/index.ts'
import { createPlanEngine } from '../../engines/plan/index.ts'
import { CancelledError, InvalidArgumentError, LevelError, SecurityError } from '../../errors/errors.ts'
import { createParameters, insecureParameters } from '../../parameters/create-parameters.ts'
import { ephemeralLogQP, MAX_LOG_SPARSE_128 } from '../../parameters/ephemeral.ts'
import { RECOMMENDED_MARGIN } from '../../parameters/security.ts'
import type { Ciphertext } from '../../port/handles.ts'
import type { ComplexVector } from '../../port/slot-values.ts'
import { createBootstrapping } from './bootstrapping.ts'
import { type BootstrappingRequest, bootstrappingLiteral } from './bootstrapping-parameters.ts'
import { BOOTSTRAPPING_SETS, bootstrappingSet } from './bootstrapping-sets.ts'
import { arcsineDegree, type BootstrappingSpec, bootstrappingLevels } from './bootstrapping-spec.ts'
import { bootstrapIterated } from './iterated.ts'
import type { PreparedBootstrapping } from './prepared-bootstrapping.ts'

const base = BOOTSTRAPPING_SETS['N16-B10']
const SLOTS = 2 ** 9

function small(change: Partial<BootstrappingSpec> = {}, noise = true) {
  const spec = { ...base.spec, slots: SLOTS, ...change }
  const request: BootstrappingRequest = {
    ...base,
    logN: 10,
    levels: 3,
    specialBits: new Array(9).fill(47.9),
    spec,
  }
  const parameters = insecureParameters(bootstrappingLiteral(request))
  return {
    parameters,
    spec,
    circuit: createBootstrapping(parameters, spec),
    engine: createClearEngine(parameters, { noise }),
  }
}

/** Points of the unit disc times a radius. */
const disc = (slots: number, radius = 1) => {
  const points = Array.from(
    { length: slots },
    (_, i) => [radius * Math.sqrt(((i * 37) % slots) / slots), 2.4 * i] as const,
  )
  return {
    re: Float64Array.from(points, ([r, a]) => r * Math.cos(a)),
    im: Float64Array.from(points, ([r, a]) => r * Math.sin(a)),
  }
}
const real = (slots: number, radius = 1) => disc(slots, radius).re

function errors(got: Required<ComplexVector>, want: ComplexVector) {
  const sizes = got.re.map((x, i) => Math.hypot(x - want.re[i]!, got.im[i]! - (want.im?.[i] ?? 0)))
  return {
    worst: -Math.log2(sizes.reduce((a, b) => Math.max(a, b), 0)),
    rms: -Math.log2(Math.sqrt(sizes.reduce((a, b) => a + b * b, 0) / sizes.length)),
  }
}

describe('bootstrapping on the clear engine', () => {
  it.each([
    ['all slots', {}, 18],
    ['few slots', { slots: 64 }, 18],
    ['one factor down, five up', { slotsToCoeffs: 1, coeffsToSlots: 5 }, 18],
    ['arcsine', { arcsine: 3, logMessageRatio: 8 }, 21],
    ['arcsine of a large message', { arcsine: 7, logMessageRatio: 4 }, 21],
    ['a large message', { logMessageRatio: 5 }, 6.5],
  ] as const)('%s: the values come back at the output level, as precise as planned', async (_, change, bits) => {
    const { parameters, spec, circuit, engine } = small(change)
    const prepared = await circuit.prepare(engine)
    const values = disc(spec.slots)
    const used = engine.encryptClear(values, { level: circuit.inputLevel })
    const fresh = prepared.bootstrap(engine, used)
    expect(fresh.level).toBe(circuit.outputLevel)
    expect(fresh.scale / parameters.scaleAt(fresh.level)).toBeCloseTo(1, 12)
    expect(fresh.slots).toBe(spec.slots)
    const measured = errors(engine.readClear(fresh), values)
    expect(measured.worst).toBeGreaterThan(bits)
    const plan = createPlanEngine(parameters)
    const planned = (await circuit.prepare(plan)).bootstrap(
      plan,
      plan.input({ level: circuit.inputLevel, slots: spec.slots, magnitude: Math.SQRT1_2, error: 0 }),
    )
    expect(Math.abs(plan.estimate(planned).precisionBits - measured.rms)).toBeLessThan(1)
    for (const handle of [used, fresh, prepared]) handle.dispose()
    expect(engine.memory().total).toBe(0)
  })

  it('takes higher levels and shorter periods', async () => {
    const { circuit, engine } = small()
    const prepared = await circuit.prepare(engine)
    const values = disc(32, 0.9)
    const fresh = prepared.bootstrap(engine, engine.encryptClear(values, { level: circuit.inputLevel + 2 }))
    const { re, im } = engine.readClear(fresh)
    expect(errors({ re: re.slice(0, 32), im: im.slice(0, 32) }, values).worst).toBeGreaterThan(17)
  })

  it('refreshes two real ciphertexts as one, and a real one by half the work', async () => {
    const pair = small()
    const prepared = await pair.circuit.prepare(pair.engine)
    const [a, b] = [real(SLOTS), real(SLOTS, 0.5)]
    const level = pair.circuit.inputLevel
    const [x, y] = [a, b].map((v) => pair.engine.encryptClear(v, { level }))
    const fresh = prepared.bootstrapPair(pair.engine, x!, y!)
    for (const [i, want] of [a, b].entries())
      expect(errors(pair.engine.readClear(fresh[i]!), { re: want }).worst).toBeGreaterThan(18)

    const single = small({ content: 'real' })
    const half = await single.circuit.prepare(single.engine)
    const out = half.bootstrap(single.engine, single.engine.encryptClear(a, { level }))
    expect(errors(single.engine.readClear(out), { re: a }).worst).toBeGreaterThan(18)
    expect(() => half.bootstrapPair(single.engine, out, out)).toThrow(InvalidArgumentError)
  })

  it('in lock step: the values of one after the other, singles and pairs', async () => {
    // two engines that draw the same multiples of q0
    const run = async (use: (...of: [PreparedBootstrapping, ClearEngine, Ciphertext[]]) => Ciphertext[][]) => {
      const { circuit, engine } = small({}, false)
      const prepared = await circuit.prepare(engine)
      const level = circuit.inputLevel
      const inputs = [disc(SLOTS), real(SLOTS), real(SLOTS, 0.5)].map((v) => engine.encryptClear(v, { level }))
      const fresh = use(prepared, engine, inputs)
      const values = fresh.map((of) => of.map((y) => engine.readClear(y)))
      for (const handle of [...inputs, ...fresh.flat(), prepared]) handle.dispose()
      expect(engine.memory().total).toBe(0)
      return values
    }
    const alone = await run((p, engine, [x, y, z]) => [[p.bootstrap(engine, x!)], p.bootstrapPair(engine, y!, z!)])
    const together = await run((p, engine, [x, y, z]) => p.bootstrapTogether(engine, [[x!], [y!, z!]]))
    expect(together).toEqual(alone)
  })

  it('short keys are asked for where the first factor has at most six stages, and change nothing elsewhere', async () => {
    const request = async (coeffsToSlots: number) => {
      const { parameters, circuit } = small({ slots: 512, coeffsToSlots, shortKeys: true })
      const engine = createPlanEngine(parameters)
      const prepared = await circuit.prepare(engine)
      prepared.bootstrap(engine, engine.input({ level: circuit.inputLevel, slots: 512 }))
      return engine.report().keyRequest
    }
    expect((await request(2)).raising).toBeDefined()
    expect((await request(1)).raising).toBeUndefined()
    expect((await request(1)).encapsulation).toBeDefined()
  })

  it('in lock step: what one refuses leaves nothing of the others', async () => {
    const { circuit, engine } = small()
    const prepared = await circuit.prepare(engine)
    const x = engine.encryptClear(real(SLOTS), { level: circuit.inputLevel })
    const low = engine.dropLevel(x, circuit.inputLevel - 1)
    const before = engine.memory().total
    for (const wrong of [[], [[]], [x], [[x, x, x]], [[null]], undefined] as never[])
      expect(() => prepared.bootstrapTogether(engine, wrong)).toThrow(/expected a list of \[ciphertext\]/)
    expect(() => prepared.bootstrapTogether(engine, [[x], [low]])).toThrow(LevelError)
    expect(() => prepared.bootstrapTogether(engine, [[x, low]])).toThrow(LevelError)
    expect(() => prepared.bootstrapTogether(engine, [[x]], { range: 3 })).toThrow(/ranges 1, got 3/)
    expect(engine.memory().total).toBe(before)
    const single = small({ content: 'real' })
    const half = await single.circuit.prepare(single.engine)
    const y = single.engine.encryptClear(real(SLOTS), { level: circuit.inputLevel })
    expect(() => half.bootstrapTogether(single.engine, [[y], [y, y]])).toThrow(/use content complex/)
  })

  it('in lock step: planned as precise as alone, with the working memory of all and in less time', async () => {
    const { parameters, circuit } = small()
    const run = async (magnitudes: readonly number[]) => {
      const plan = createPlanEngine(parameters)
      const prepared = await circuit.prepare(plan)
      const inputs = magnitudes.map((magnitude) => plan.input({ level: circuit.inputLevel, magnitude }))
      const since = plan.checkpoint()
      const fresh = prepared.bootstrapTogether(
        plan,
        inputs.map((x) => [x] as const),
      )
      return { report: plan.report({ since }), bits: fresh.map(([y]) => plan.estimate(y!).precisionBits) }
    }
    const [one, other, both] = [await run([0.7]), await run([0.1]), await run([0.7, 0.1])]
    expect(both.bits).toEqual([...one.bits, ...other.bits])
    expect(one.bits[0]).not.toBe(other.bits[0])
    expect(both.report.keyRequest).toEqual(one.report.keyRequest)
    expect(both.report.scratchBytes).toBe(2 * one.report.scratchBytes)
    const apart = one.report.seconds + other.report.seconds
    expect(both.report.seconds).toBeLessThan(0.98 * apart)
    expect(both.report.seconds).toBeGreaterThan(0.8 * apart)
  })

  it('serves the ranges it was prepared for, with precision relative to them', async () => {
    const { circuit, engine } = small()
    const prepared = await circuit.prepare(engine, { ranges: [1, 16] })
    const values = disc(SLOTS, 16)
    const used = engine.encryptClear(values, { level: circuit.inputLevel })
    const { worst } = errors(engine.readClear(prepared.bootstrap(engine, used, { range: 16 })), values)
    expect(worst).toBeGreaterThan(18 - 4)
    expect(worst).toBeLessThan(20 - 4)
    expect(() => prepared.bootstrap(engine, used, { range: 2 })).toThrow(/ranges 1, 16, got 2/)
  })

  it('evaluates functions on the way, of each half and at every range, as precise as planned', async () => {
    const { parameters, circuit, engine } = small({ arcsine: 31, logMessageRatio: 6 })
    const functions = [
      { name: 'relu', at: (x: number) => Math.max(0, x) },
      { name: 'square', at: (x: number) => x * x },
    ]
    const prepared = await circuit.prepare(engine, { functions, ranges: [1, 4] })
    const [values, large] = [disc(SLOTS), disc(SLOTS, 4)]
    const [x, y] = [values, large].map((v) => engine.encryptClear(v, { level: circuit.inputLevel }))
    const of = (v: ReturnType<typeof disc>, f: (x: number) => number) => ({ re: v.re.map(f), im: v.im.map(f) })
    const relu = errors(
      engine.readClear(prepared.bootstrap(engine, x!, { apply: 'relu' })),
      of(values, functions[0]!.at),
    )
    expect(relu.worst).toBeGreaterThan(6.6)
    expect(relu.rms).toBeGreaterThan(8.5)
    const square = prepared.bootstrap(engine, y!, { apply: 'square', range: 4 })
    expect(errors(engine.readClear(square), of(large, functions[1]!.at)).worst).toBeGreaterThan(15)
    // without a name it is a refresh
    expect(errors(engine.readClear(prepared.bootstrap(engine, x!)), values).worst).toBeGreaterThan(18)
    const z = engine.encryptClear(values.re, { level: circuit.inputLevel })
    const [a, b] = prepared.bootstrapPair(engine, z, z, { apply: 'square' })
    expect(errors(engine.readClear(a), { re: values.re.map((v) => v * v) }).worst).toBeGreaterThan(15)
    expect(b.level).toBe(circuit.outputLevel)

    const plan = createPlanEngine(parameters)
    const input = plan.input({ level: circuit.inputLevel, slots: SLOTS, magnitude: Math.SQRT1_2, error: 0 })
    const planned = (await circuit.prepare(plan, { functions })).bootstrap(plan, input, { apply: 'relu' })
    expect(Math.abs(plan.estimate(planned).precisionBits - relu.rms)).toBeLessThan(0.5)
    expect(plan.estimate(planned).magnitude).toBeLessThan(1)
  })

  it('iterated: the second bootstrap mends the first', async () => {
    const { parameters, circuit, engine } = small()
    const prepared = await circuit.prepare(engine)
    const values = disc(SLOTS)
    const used = engine.encryptClear(values, { level: circuit.inputLevel + 1 })
    const fresh = bootstrapIterated(engine, prepared, used, { gainBits: 14 })
    expect(fresh.level).toBe(circuit.outputLevel - 1)
    const measured = errors(engine.readClear(fresh), values)
    expect(measured.worst).toBeGreaterThan(28)
    const plan = createPlanEngine(parameters)
    const input = plan.input({ level: circuit.inputLevel + 1, magnitude: Math.SQRT1_2 })
    const planned = bootstrapIterated(plan, await circuit.prepare(plan), input, { gainBits: 14 })
    expect(Math.abs(plan.estimate(planned).precisionBits - measured.rms)).toBeLessThan(2)
    expect(() => bootstrapIterated(engine, prepared, engine.dropLevel(used, 3))).toThrow(LevelError)
    expect(() => bootstrapIterated(engine, prepared, used, { gainBits: 0 })).toThrow(InvalidArgumentError)
  })

  it('stops at its signal and leaves nothing behind; tells its progress', async () => {
    const { circuit, engine } = small()
    const steps: string[] = []
    await circuit.prepare(engine, { ranges: [1, 2], onProgress: (done, total) => void steps.push(`${done}/${total}`) })
    expect(steps).toEqual(['1/7', '2/7', '3/7', '4/7', '5/7', '6/7', '7/7'])
    const other = createClearEngine(circuit.parameters)
    const controller = new AbortController()
    const stopped = circuit.prepare(other, { signal: controller.signal, onProgress: () => controller.abort() })
    await expect(stopped).rejects.toThrow(CancelledError)
    expect(other.memory().total).toBe(0)
  })
})

describe('the polynomial after the sine', () => {
  it.each([
    [0, 0, 0],
    [3, 3, 2],
    [7, 7, 3],
    [31, 31, 5],
    [false, 0, 0],
    [true, 3, 2],
  ])('%s is of degree %i, at %i levels', (arcsine, degree, levels) => {
    expect(arcsineDegree({ arcsine })).toBe(degree)
    const none = bootstrappingLevels({ ...base.spec, arcsine: 0 })
    expect(bootstrappingLevels({ ...base.spec, arcsine })).toEqual({ ...none, evalMod: none.evalMod + levels })
  })
})

describe('what cannot be bootstrapped is refused', () => {
  it.each([
    [{ slots: 100 }, /slots must be a power of two/],
    [{ slots: 1024 }, /slots/],
    [{ coeffsToSlots: 10 }, /coeffsToSlots must be from 1 to 9/],
    [{ degree: 31 }, /even/],
    [{ doubleAngles: 9 }, /doubleAngles/],
    [{ logMessageRatio: 40 }, /logMessageRatio/],
    [{ arcsine: 4 }, /arcsine must be 0 or an odd degree/],
    [{ arcsine: 1 }, /arcsine/],
    [{ arcsine: 3, logMessageRatio: 2 }, /sine turns back/],
  ] as const)('%o', (change, message) => {
    const { parameters, spec } = small()
    expect(() => createBootstrapping(parameters, { ...spec, ...change })).toThrow(message)
  })
  it('too few levels', () => {
    const { parameters, spec } = small()
    expect(() => createBootstrapping(parameters, { ...spec, coeffsToSlots: 6 })).toThrow(LevelError)
  })
  it('an ephemeral secret that would not be secure', () => {
    const { spec } = bootstrappingSet('N15-B4')
    const literal = bootstrappingLiteral({ ...BOOTSTRAPPING_SETS['N15-B4'], specialBits: [47.5, 42] })
    expect(() => createBootstrapping(createParameters(literal), spec)).toThrow(SecurityError)
    const ring = createParameters({ logN: 14, levels: 6, scaleBits: 30 })
    expect(() => createBootstrapping(ring, { ...spec, slots: 64 })).toThrow(/use logN 15 or 16/)
  })
  it('functions without a polynomial for them, or without a name of their own', async () => {
    const relu = { name: 'relu', at: (x: number) => Math.max(0, x) }
    const bare = small()
    await expect(bare.circuit.prepare(bare.engine, { functions: [relu] })).rejects.toThrow(/set arcsine in its spec/)
    const { circuit, engine } = small({ arcsine: 7, logMessageRatio: 6 })
    await expect(circuit.prepare(engine, { functions: [relu, relu] })).rejects.toThrow(
      /two functions are called 'relu'/,
    )
    await expect(circuit.prepare(engine, { functions: [{ name: 'log', at: Math.log }] })).rejects.toThrow(/'log'/)
    const prepared = await circuit.prepare(engine, { functions: [relu] })
    const x = engine.encryptClear(real(SLOTS), { level: circuit.inputLevel })
    expect(() => prepared.bootstrap(engine, x, { apply: 'gelu' })).toThrow(/not prepared for a function 'gelu'/)
    expect(engine.memory().total).toBeGreaterThan(0)
  })
  it('ciphertexts below the input level, ranges that are no numbers', async () => {
    const { circuit, engine } = small()
    const prepared = await circuit.prepare(engine)
    const low = engine.encryptClear(real(SLOTS), { level: circuit.inputLevel - 1 })
    expect(() => prepared.bootstrap(engine, low)).toThrow(LevelError)
    await expect(circuit.prepare(engine, { ranges: [0] })).rejects.toThrow(InvalidArgumentError)
  })
})

describe.each(Object.keys(BOOTSTRAPPING_SETS))('the set %s', (name) => {
  const { parameters, spec } = bootstrappingSet(name)
  it('is 128-bit secure with 3 % to spare, its ephemeral secret too', () => {
    expect(parameters.security).toBe(128)
    expect(parameters.securityMargin).toBeGreaterThan(
      RECOMMENDED_MARGIN * (parameters.logQP + parameters.securityMargin),
    )
    expect(ephemeralLogQP(parameters)).toBeLessThanOrEqual(MAX_LOG_SPARSE_128[parameters.logN]!)
  })
  it('has the levels of its name and never fails', () => {
    const circuit = createBootstrapping(parameters, spec)
    expect(name).toBe(`N${parameters.logN}-B${circuit.usableLevels}`)
    expect(circuit.failureProbability).toBeLessThan(2 ** -100)
  })
  it('keeps one scale on all levels in use', () => {
    const { outputLevel } = createBootstrapping(parameters, spec)
    for (let level = 0; level <= outputLevel; level++)
      expect(parameters.scaleAt(level) / parameters.scaleAt(0)).toBeCloseTo(1, 3)
  })
})
