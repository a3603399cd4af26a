import {
  bootstrappingSet,
  createBootstrapping,
  FormatError,
  HeMlError,
  InvalidArgumentError,
  PlanError,
} from '@he-ml/ckks-core'
import { createTensor, forwardApproximate, type Model } from '@he-ml/model'
import { activation } from '@he-ml/nn-layers'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { bindPlan } from '../bind/bind-plan.ts'
import {
  approximate,
  bitsOfCopies,
  chain,
  clearStage,
  compileInsecure,
  deepChain,
  type Editable,
  images,
  mutate,
  precisionBits,
  refreshesOf,
  residual,
  smallCnn,
} from '../pipeline.test-helper.ts'
import { parsePlan, planDigest } from '../plan/plan.ts'
import type { Plan } from '../plan/plan-form.ts'
import { isRefresh } from '../program/task.ts'
import type { Calibration } from '../ready/calibration.ts'
import { fit } from '../ready/fit.ts'
import { Runner } from '../run/run.ts'
import { compile } from './compile.ts'
import type { CompileOptions } from './options.ts'

const activationOptions = { degree: 7, margin: 1.3 }

const refusal = async (made: Promise<unknown>): Promise<PlanError> => {
  const error = await made.then(
    () => undefined,
    (e: unknown) => e,
  )
  expect(error).toBeInstanceOf(PlanError)
  return error as PlanError
}

describe('networks deeper than the levels, on the clear engine', () => {
  it.each([
    ['a chain', () => deepChain(5), {}, 1],
    ['a chain of squares', () => deepChain(10, 'square'), {}, 1],
    ['a residual network', () => residual(3), {}, 1],
    ['a chain, image = slot', () => deepChain(5), { packing: 'batch', batch: 4 }, 3],
  ] as const)('%s: what it computes in the clear, to the predicted precision', async (_, make, packing, count) => {
    const model: Model = make()
    const calibration = await fit(model, images(20))
    // the outputs of the squares hardly differ from image to image: relative to their range, 4 bits are left
    const bound = await compileInsecure(model, 5, {
      calibration,
      activation: activationOptions,
      precisionBits: 2,
      ...packing,
    })
    const { report, bootstrapping } = bound.plan
    expect(refreshesOf(bound.plan).length).toBeGreaterThan(0)
    expect(bootstrapping!.exact).toBe(true)
    expect(report.depth).toBeGreaterThan(bound.plan.input.level)
    const given = images(count, 7)
    const want = given.map((image) => approximate(bound.model, image))
    const stage = clearStage(bound, true)
    const names: string[] = []
    const output = await new Runner(bound, stage.engine).run(await stage.encrypt(given), {
      onProgress: ({ layer }) => names.push(layer),
    })
    const bits = precisionBits(await stage.decrypt(output, count), want)
    console.log(`predicted ${report.precisionBits.toFixed(1)} bits, real ${bits.toFixed(1)}`)
    expect(bits).toBeGreaterThan(report.precisionBits - bitsOfCopies(bound) - 3)
    expect(bits).toBeGreaterThan(10)
    for (const task of bound.program.tasks) if (isRefresh(task)) expect(names).toContain(task.id)
  })
})

describe('the choice among ways of refreshing', () => {
  /** Rows of the report that are bootstraps. */
  const rows = async (model: Model, options: CompileOptions) => {
    const calibration = await fit(model, images(10))
    const { plan } = await compileInsecure(model, 6, { calibration, activation: activationOptions, ...options })
    return plan.report.layers.filter((l) => l.kind === 'refresh').map((l) => ({ ...l, ...l.refresh! }))
  }

  it('a single short ciphertext travels alone, through a circuit of as many slots', async () => {
    const refreshes = await rows(deepChain(5), {})
    expect(refreshes.length).toBeGreaterThan(0)
    for (const refresh of refreshes)
      expect(refresh).toMatchObject({ bootstraps: 1, slots: 128, content: 'real', merge: 1, level: 3, outputLevel: 9 })
  })
  it('many of a short period are merged, two by two as real and imaginary part', async () => {
    const refreshes = await rows(deepChain(4), { packing: 'batch', batch: 16 })
    expect(refreshes.length).toBeGreaterThan(0)
    for (const refresh of refreshes) {
      // 128 values in ciphertexts of 16 slots: as one complex bootstrap would take 2^11 real slots, 512 are there
      expect(refresh).toMatchObject({ ciphertexts: 128, content: 'complex', slots: 512, merge: 32, bootstraps: 2 })
      expect([refresh.level, refresh.outputLevel]).toEqual([4, 8])
    }
  })
  it('full ciphertexts go in pairs, without masks', async () => {
    for (const refresh of await rows(deepChain(4), { packing: 'batch', batch: 512 }))
      expect(refresh).toMatchObject({ ciphertexts: 128, content: 'complex', slots: 512, merge: 1, bootstraps: 64 })
  })
})

describe('a plan with bootstraps', () => {
  // the real set, on the plan engine: nothing is encrypted
  const model = deepChain(8)
  let calibration: Calibration
  let plan: Plan
  const options = (): CompileOptions => ({
    calibration,
    activation: activationOptions,
    bootstrapping: { set: 'N15-B4' },
  })
  beforeAll(async () => {
    calibration = await fit(model, images(20))
    plan = await compile(model, options())
  })

  it('carries circuits, places, keys and the probability of failure', () => {
    const { bootstrapping, keyRequest, report, parameters } = plan
    const { circuits } = bootstrapping!
    const refreshes = refreshesOf(plan)
    expect(parameters.logN).toBe(15)
    expect(keyRequest.encapsulation).toBe(parameters.q.length - 1)
    expect(circuits.length).toBeGreaterThan(0)
    let failure = 0
    for (const { circuit, range } of refreshes) {
      expect(circuits[circuit]!.ranges).toContain(range)
      expect(Math.log2(range) % 1).toBe(0)
      failure += createBootstrapping(bootstrappingSet('N15-B4').parameters, circuits[circuit]!.spec).failureProbability
    }
    expect(report.failureProbability).toBeCloseTo(failure, 12)
    expect(report.layers.filter((l) => l.kind === 'refresh')).toHaveLength(refreshes.length)
    expect(report.layers.reduce((sum, l) => sum + l.seconds, 0)).toBeCloseTo(report.seconds, 9)
    expect(report.keys.count).toBe(keyRequest.rotations.length + 3)
    expect(report.memory.leanPeakBytes).toBeLessThan(report.memory.peakBytes)
  })
  it('goes through JSON unchanged, binds, and is made again just the same', async () => {
    const again = parsePlan(JSON.stringify(plan))
    const { program } = bindPlan(again, model)
    expect(program.input.level).toBe(plan.input.level)
    expect(program.tasks.map((t) => [t.id, t.level])).toEqual(plan.report.layers.map((l) => [l.name, l.level]))
    expect((await compile(model, options())).id).toBe(plan.id)
  })
  it('that was changed does not bind', () => {
    const change = (edit: (p: Editable<Plan>) => void): (() => unknown) => {
      const copy: Editable<Plan> = JSON.parse(JSON.stringify(plan))
      edit(copy)
      expect(() => parsePlan(JSON.stringify(copy))).toThrow(/content hash/)
      const text = JSON.stringify({ ...copy, id: planDigest(copy) })
      return () => bindPlan(parsePlan(text), model)
    }
    const first = refreshesOf(plan)[0]!
    const place = plan.tasks.indexOf(first)
    const edited = (about: object) => (p: Editable<Plan>) => Object.assign(p.tasks[place]!, about)
    const layer = (p: Editable<Plan>, name: string) => p.tasks.find((task) => 'layer' in task && task.layer === name)!
    for (const [edit, message] of [
      [(p) => p.tasks.splice(place, 1), /reads .* at level|at level .*, the circuit needs/],
      [edited({ values: ['nobody'] }), /not distinct layers/],
      [edited({ values: [first.values[0], first.values[0]] }), /not distinct/],
      [(p) => p.tasks.unshift(...p.tasks.splice(place, 1)), /before it is computed/],
      [edited({ circuit: 60 }), /circuit 60 does not exist/],
      [edited({ range: 3 }), /not prepared for the range 3/],
      [edited({ merge: 2 }), /are not the circuit's/],
      [(p) => Object.assign(layer(p, 'conv0'), { level: 1 }), /reads "conv0" at level|the plan asks for inputs/],
      [(p) => Object.assign(layer(p, 'fc'), { level: 2 }), /leaves its result at level 0|reads "flat" at level/],
      [(p) => p.tasks.splice(p.tasks.indexOf(layer(p, 'act1')), 1), /stands where "act1" of the model does/],
      [(p) => p.tasks.pop(), /does not run layer "fc"/],
      [edited({ keys: [999] }), /uses key 999 of/],
      [(p) => delete p.weights['fc at level 1'], /size of the weights "fc at level 1"/],
    ] as [(p: Editable<Plan>) => void, RegExp][]) {
      const bind = change(edit)
      expect(bind).toThrow(FormatError)
      expect(bind).toThrow(message)
    }
    const weak = change((p) => Object.assign(p.bootstrapping!.circuits[0]!.spec, { degree: 31 }))
    expect(weak).toThrow(InvalidArgumentError)
  })
})

describe('a plan of an earlier version', () => {
  it('says false where none straightens the sine, and is read as it stands, its content hash with it', async () => {
    const model = deepChain(5)
    const calibration = await fit(model, images(5))
    const plan = await compile(model, {
      calibration,
      activation: activationOptions,
      bootstrapping: { set: 'N15-B4' },
    })
    const earlier = (arcsine: boolean) => {
      const content = structuredClone(plan) as Editable<Plan>
      Object.assign(content.bootstrapping!.circuits[0]!.spec, { arcsine })
      return JSON.stringify({ ...content, id: planDigest(content) })
    }
    const read = parsePlan(earlier(false))
    expect(read.bootstrapping!.circuits[0]!.spec.arcsine).toBe(false)
    expect(bindPlan(read, model).program.input.level).toBe(plan.input.level)
    // true was the cubic polynomial, for whose levels these parameters have no room
    expect(() => bindPlan(parsePlan(earlier(true)), model)).toThrow(HeMlError)
  })
})

describe('a hostile plan', () => {
  it('changed anywhere in its bootstraps, the hash made right, does not bind or binds to something that fits', async () => {
    const model = deepChain(5)
    const calibration = await fit(model, images(5))
    const plan = await compile(model, {
      calibration,
      activation: activationOptions,
      bootstrapping: { set: 'N15-B4' },
    })
    expect(refreshesOf(plan).length).toBeGreaterThan(0)
    const junk = fc.oneof(
      fc.constantFrom(undefined, null, 'extra', -1, 0, 1, 2, 0.5, 16, 1e308, 2 ** 53, '', [], {}, 'act1', '__proto__'),
      fc.integer({ min: 0, max: 40 }),
    )
    let bound = 0
    const property = fc.property(fc.array(fc.nat(40), { minLength: 1, maxLength: 5 }), junk, (path, value) => {
      const { bootstrapping, tasks } = plan
      const content = { ...plan, ...(mutate(structuredClone({ bootstrapping, tasks }), path, value) as object) } as Plan
      try {
        const { program } = bindPlan(parsePlan(JSON.stringify({ ...content, id: planDigest(content) })), model)
        expect(program.input.level).toBe(plan.input.level)
        bound++
      } catch (error) {
        expect(error).toBeInstanceOf(HeMlError)
      }
    })
    fc.assert(property, { numRuns: 300 })
    expect(bound).toBeLessThan(300)
  })
})

describe('when to bootstrap', () => {
  it("never without need, unless told 'always' or a set", async () => {
    const model = smallCnn('relu')
    const calibration = await fit(model, images(10))
    const options = { calibration, activation: activationOptions }
    expect((await compile(model, options)).bootstrapping).toBeUndefined()
    const forced = await compile(model, { ...options, bootstrapping: { set: 'N15-B4' } })
    expect(refreshesOf(forced)).toEqual([])
    expect(forced.bootstrapping).toMatchObject({ circuits: [] })
    expect(forced.report.failureProbability).toBe(0)
  })
  it('automatically when no ring holds the depth', async () => {
    const model = deepChain(12)
    const calibration = await fit(model, images(10))
    const options = { calibration, activation: activationOptions, scaleBits: 42 }
    const plan = await compile(model, options)
    expect(refreshesOf(plan).length).toBeGreaterThan(0)
    expect(plan.parameters.logN).toBe(16)
    expect((await refusal(compile(model, { ...options, bootstrapping: 'never' }))).reason).toBe('security')
    // with bootstrapping it is possible, if not in this memory: that is the reason then
    expect((await refusal(compile(model, { ...options, memory: 2 ** 30 }))).reason).toBe('memory')
  })
  it('refuses with a reason', async () => {
    const deep = deepChain(8)
    const calibration = await fit(deep, images(5))
    const { values: _, ...old } = calibration
    const set = { set: 'N15-B4' }
    // no calibration at all: nothing is known of any value
    const squares = chain(
      'squares',
      [1, 8, 8],
      Array.from({ length: 30 }, (_, i) => activation({ name: `s${i}`, function: 'square' as const })),
    )
    expect((await refusal(compile(squares, { bootstrapping: set }))).reason).toBe('range')
    expect((await refusal(compile(squares, { bootstrapping: 'always' }))).message).toMatch(
      /what fit\(model, data\) gives/,
    )
    // statistics of activations only, as older calibrations have them, are enough here
    const plan = await compile(deep, { calibration: old, activation: activationOptions, bootstrapping: set })
    for (const { values } of refreshesOf(plan)) expect(values[0]).toMatch(/^conv/)
    // one layer that is deeper than what lies between two bootstraps
    const steep = { calibration, activation: { degree: 255 }, bootstrapping: set }
    const tooDeep = await refusal(compile(deep, steep))
    expect(tooDeep.reason).toBe('levels')
    expect(tooDeep.message).toMatch(
      /lower the option activation\.degree, or give the option bootstrapping\.levels more/,
    )
    const { leanPeakBytes: lean, peakBytes } = plan.report.memory
    expect(lean).toBeLessThan(peakBytes)
    const given = { calibration: old, activation: activationOptions, bootstrapping: set, memory: lean }
    // what fits only when weights are dropped after use is planned so, and says so
    const { keepWeights, ...dropping } = await compile(deep, given)
    expect([plan.keepWeights, keepWeights]).toEqual([true, false])
    expect({ ...dropping, id: '' }).toEqual({ ...plan, id: '', keepWeights: undefined })
    // whoever wants them kept gets another placement, which fits with them
    const kept = await compile(deep, { ...given, keepWeights: true })
    expect(kept.keepWeights).toBe(true)
    expect(kept.report.memory.peakBytes).toBeLessThanOrEqual(lean)
    const small = { calibration, activation: activationOptions, bootstrapping: set, memory: 2 ** 28 }
    expect((await refusal(compile(deep, small))).reason).toBe('memory')
    await expect(compile(deep, { calibration, bootstrapping: { set: 'N1' } })).rejects.toThrow(/no set is called 'N1'/)
    const both = { calibration, bootstrapping: 'always' as const, parameters: { logN: 13, levels: 3, scaleBits: 30 } }
    await expect(compile(deep, both)).rejects.toThrow(InvalidArgumentError)
    const none = { calibration, bootstrapping: 'always' as const, logN: 13 }
    expect((await refusal(compile(deep, none))).message).toMatch(/no bootstrapping set .* at logN 13/)
  })
  it('does not need inputs like those of the calibration to know ranges', async () => {
    // far inside any probe of size 1: polynomials of degree 15 leave all bounds there, block after block
    const model = residual(6)
    const small = images(10).map(({ shape, data }) =>
      createTensor(
        shape,
        data.map((v) => v / 64),
      ),
    )
    const calibration = await fit(model, small)
    const options = { activation: { degree: 15, margin: 1.15 }, bootstrapping: { set: 'N15-B4' } }
    const plan = await compile(model, { ...options, calibration })
    expect(refreshesOf(plan).length).toBeGreaterThan(0)
  })
  it('names the values without a range', async () => {
    const model = residual(4)
    const calibration = await fit(model, images(5))
    const options = { activation: { degree: 15 }, bootstrapping: { set: 'N15-B4' } }
    const values = Object.fromEntries(Object.entries(calibration.values!).filter(([name]) => name === 'fc'))
    const statistics = { ...calibration.statistics, out1: { ...calibration.statistics.out1!, min: 0, max: 0 } }
    expect((await compile(model, { ...options, calibration })).bootstrapping).toBeDefined()
    const error = await refusal(compile(model, { ...options, calibration: { ...calibration, values, statistics } }))
    expect(error.reason).toBe('range')
    expect(error.message).toMatch(/no range of .*"relu"/)
  })
  it('knows ranges through folded factors', async () => {
    const model = deepChain(5)
    const calibration = await fit(model, images(20))
    const bound = await compileInsecure(model, 5, { calibration, activation: activationOptions })
    for (const { values, range } of refreshesOf(bound.plan)) {
      const sizes = images(20).map((image) => {
        let most = 0
        bound.model.evaluate(image, ({ name, layer }, inputs) => {
          const outputs = forwardApproximate(layer, inputs)
          if (values.includes(name)) most = Math.max(most, ...outputs[0]!.data.map(Math.abs))
          return outputs
        })
        return most
      })
      expect(Math.max(...sizes)).toBeLessThanOrEqual(range)
      expect(Math.max(...sizes)).toBeGreaterThan(range / 4)
    }
  })
})
