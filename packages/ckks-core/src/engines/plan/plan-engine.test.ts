import { describe, expect, it } from 'vitest'
import { diagonalsFromDense, prepareLinearTransform } from '../../circuits/linear-transform/index.ts'
import { evaluateChebyshev } from '../../circuits/polynomial/index.ts'
import { FormatError, InvalidArgumentError, LevelError, ScaleError } from '../../errors/errors.ts'
import { createParameters, insecureParameters } from '../../parameters/create-parameters.ts'
import type { Ciphertext } from '../../port/handles.ts'
import { keyBytes, keyFileBytes } from '../../port/keys.ts'
import { oneprime40 as parameters } from '../../testing/test-parameters.ts'
import { createDefaultCostModel, OPERATION_KINDS, operationSize, scaleCostModel } from './cost-model.ts'
import { createPlanEngine, type PlanEngine } from './plan-engine.ts'

const N = parameters.ringDegree

describe('counting', () => {
  it('counts by kind and level', () => {
    const engine = createPlanEngine(parameters)
    const x = engine.input()
    const y = engine.rescale(engine.relinearize(engine.square(x)))
    engine.rotateHoisted(y, [1, 2, 0])
    engine.rotate(y, 5)
    engine.add(y, y)
    engine.relinearizeRescale(engine.square(x))
    const { operations, totals } = engine.report()
    expect(operations.map(({ kind, level, limbs, count }) => [kind, level, limbs, count])).toEqual([
      ['add', 7, 8, 1],
      ['mul', 8, 9, 2],
      ['relinearize', 8, 9, 1],
      ['relinearizeRescale', 8, 9, 1],
      ['rescale', 8, 9, 1],
      ['dropLevel', 7, 8, 1],
      ['rotate', 7, 8, 1],
      ['decompose', 7, 8, 1],
      ['hoistedRotation', 7, 8, 2],
    ])
    expect(totals.rescale).toBe(1)
  })

  it('counts since a checkpoint', () => {
    const engine = createPlanEngine(parameters)
    const x = engine.input()
    engine.add(x, x)
    const since = engine.checkpoint()
    engine.add(x, x)
    engine.mulByI(x)
    expect(engine.report({ since }).totals).toEqual({ add: 1, mulScalar: 1 })
    expect(engine.report().totals.add).toBe(2)
  })

  it('counts multiply-adds of matrix products', () => {
    const engine = createPlanEngine(parameters)
    const inputs = [engine.input(), engine.input(), engine.input()]
    const out = engine.matrixProduct(inputs, { rows: 2, columns: 3, data: new Float64Array(6).fill(0.5) })
    expect(out).toHaveLength(2)
    expect(engine.report().totals).toEqual({ matrixProduct: 6 })
    expect(engine.estimate(out[0]!).magnitude).toBeCloseTo(Math.sqrt(3 * 0.25), 12)
  })
})

describe('ciphertexts through one transform together', () => {
  const period = 16
  const matrix = diagonalsFromDense({ rows: period, columns: period, re: new Float64Array(period ** 2).fill(0.5) })
  const transformed = async (inputs: number, together: boolean, options = {}) => {
    const engine = createPlanEngine(parameters, options)
    const transform = await prepareLinearTransform(engine, matrix, { level: 5, split: { length: 4, offset: 0 } })
    const given = Array.from({ length: inputs }, (_, i) => engine.input({ level: 5, slots: period, magnitude: i + 1 }))
    const since = engine.checkpoint()
    const results = together
      ? engine.linearTransforms(given, transform)
      : given.map((x) => engine.linearTransform(x, transform))
    return { report: engine.report({ since }), estimates: results.map((y) => engine.estimate(y)) }
  }

  it('are as exact as alone, with the same operations and keys, in less time and more working memory', async () => {
    const [one, alone, three] = [await transformed(1, true), await transformed(3, false), await transformed(3, true)]
    expect(three.estimates).toEqual(alone.estimates)
    expect(three.report.totals).toEqual(alone.report.totals)
    expect(three.report.keyRequest).toEqual(alone.report.keyRequest)
    expect(one.report.seconds).toBeCloseTo(alone.report.seconds / 3, 12)
    expect(three.report.seconds).toBeLessThan(0.95 * alone.report.seconds)
    expect(three.report.seconds).toBeGreaterThan(0.6 * alone.report.seconds)
    expect(alone.report.scratchBytes).toBe(one.report.scratchBytes)
    expect(three.report.scratchBytes).toBe(3 * one.report.scratchBytes)
  })

  it('save nothing where nothing is fused', async () => {
    const [alone, together] = [
      await transformed(2, false, { doubleHoisting: false }),
      await transformed(2, true, { doubleHoisting: false }),
    ]
    expect(together).toEqual(alone)
  })

  it('count the same again from a tape', async () => {
    const engine = createPlanEngine(parameters)
    const transform = await prepareLinearTransform(engine, matrix, { level: 5 })
    const x = engine.input({ level: 5, slots: period })
    const circuit = () => {
      const [y, z] = engine.linearTransforms([x, x], transform)
      z!.dispose()
      return y!
    }
    const known = { objects: [transform], numbers: [] }
    const before = engine.checkpoint()
    engine.repeat(known, x, circuit)
    const first = engine.report({ since: before })
    const since = engine.checkpoint()
    engine.repeat(known, x, () => expect.fail('run again'))
    const again = engine.report({ since })
    expect(again.operations).toEqual(first.operations)
    expect(again.scratchBytes).toBe(first.scratchBytes)
  })
})

describe('keys', () => {
  it('are recorded at the highest level of their uses', () => {
    const engine = createPlanEngine(parameters)
    const x = engine.input()
    const low = engine.dropLevel(x, 2)
    engine.rotate(low, 3)
    engine.rotate(engine.dropLevel(x, 5), 3)
    engine.rotate(low, -1)
    engine.conjugate(low)
    engine.relinearize(engine.square(low))
    engine.relinearize(x)
    const { keyRequest, keyBytes: bytes, keyFileBytes: onDisk } = engine.report()
    expect(keyRequest).toEqual({
      relinearization: 2,
      rotations: [
        { steps: 3, level: 5 },
        { steps: 511, level: 2 },
      ],
      conjugation: 2,
    })
    const early = { kind: 'conjugation', level: 5 } as const
    const late = { kind: 'conjugation', level: 2 } as const
    expect(bytes).toBe(keyBytes(parameters, early) + 3 * keyBytes(parameters, late))
    expect(onDisk).toBe(keyFileBytes(parameters, early) + 3 * keyFileBytes(parameters, late))
    expect(engine.hasKey({ kind: 'rotation', steps: 77, level: 8 })).toBe(true)
  })
})

describe('since a checkpoint', () => {
  it('keys are those used, each at the highest of these uses, and bytes those above what lived', () => {
    const engine = createPlanEngine(parameters)
    const x = engine.input({ level: 4 })
    engine.rotate(x, 3)
    engine.conjugate(x)
    const since = engine.checkpoint()
    const low = engine.dropLevel(x, 2)
    engine.rotate(low, 3).dispose()
    low.dispose()
    engine.rotate(engine.dropLevel(x, 1), 3)
    const { keysUsed, ciphertextBytes, keyRequest } = engine.report({ since })
    expect(keysUsed).toEqual([{ kind: 'rotation', steps: 3, level: 2 }])
    expect(ciphertextBytes.risen).toBe(2 * (2 * 3) * N * 8)
    expect(keyRequest.rotations).toEqual([{ steps: 3, level: 4 }])
    expect(engine.report().keysUsed).toHaveLength(2)
  })
})

describe('bytes', () => {
  it('follow handles', () => {
    const engine = createPlanEngine(parameters)
    const x = engine.input()
    const y = engine.square(x)
    expect(engine.memory().ciphertexts).toBe((2 + 3) * 9 * N * 8)
    y.dispose()
    x.dispose()
    const { ciphertextBytes } = engine.report()
    expect(ciphertextBytes).toEqual({ live: 0, peak: 5 * 9 * N * 8, risen: 5 * 9 * N * 8 })
  })
  it('take one period of a plaintext, special primes included when extended', () => {
    const engine = createPlanEngine(parameters)
    const at = { level: 3, scale: parameters.scale }
    engine.encode(new Float64Array(16).fill(1), at)
    expect(engine.memory().plaintexts).toBe(4 * 32 * 8)
    engine.encode(new Float64Array(16).fill(1), { ...at, extended: true })
    expect(engine.memory().plaintexts).toBe((4 + 4 + parameters.p.length) * 32 * 8)
    engine.encode(new Float64Array(16).fill(1), { ...at, deferred: true })
    expect(engine.memory().plaintexts).toBe((4 + 4 + parameters.p.length + 1) * 32 * 8)
    // of both that are extended
    expect(engine.deferrableBytes).toBe((4 + parameters.p.length - 1) * 32 * 8)
    const values = () => {
      throw new Error('evaluated')
    }
    const full = engine.encode({ slots: N / 2, values, magnitude: 0.1 }, at)
    expect(full.slots).toBe(N / 2)
  })
})

describe('report', () => {
  it('is plain JSON', () => {
    const engine = createPlanEngine(parameters)
    evaluateChebyshev(engine, engine.input(), [0.5, 0.25, 0.125, 0.1])
    const report = engine.report()
    expect(JSON.parse(JSON.stringify(report))).toEqual(report)
    expect(report.seconds).toBeGreaterThan(0)
    expect(report.parametersId).toBe(parameters.id)
    expect(report.peakBytes).toBeGreaterThanOrEqual(report.keyBytes + report.ciphertextBytes.peak)
  })
  it('plans thousands of operations, and counts every one', () => {
    const big = insecureParameters({ logN: 15, levels: 20, scaleBits: 40 })
    const engine = createPlanEngine(big)
    let x = engine.input()
    for (let round = 0; round < 20; round++) {
      const turns = engine.rotateHoisted(
        x,
        Array.from({ length: 100 }, (_, i) => i + 1),
      )
      const products = turns.map((t) => engine.mulScalar(t, 0.01))
      const sum = engine.sum(products)
      for (const h of [...turns, ...products, x]) h.dispose()
      x = engine.rescale(sum)
    }
    expect(engine.report().totals).toMatchObject({ hoistedRotation: 2000, mulScalar: 2000, rescale: 20 })
  })
})

describe('checks', () => {
  const engine = createPlanEngine(parameters)
  it('are those of every engine', async () => {
    const x = engine.input({ level: 1 })
    expect(() => engine.add(x, engine.input())).toThrow(LevelError)
    expect(() => engine.input({ level: 9 })).toThrow(LevelError)
    expect(() => engine.input({ scale: 0 })).toThrow(ScaleError)
    expect(() => engine.input({ slots: 3 })).toThrow(InvalidArgumentError)
    expect(() => engine.input({ error: -1 })).toThrow(InvalidArgumentError)
    expect(() => engine.rescale(engine.input({ level: 0 }))).toThrow(LevelError)
    await expect(engine.importCiphertext(new Uint8Array())).rejects.toThrow(FormatError)
  })
})

describe('cost model', () => {
  it('matches what was measured for one key switch (24 + 8 limbs, three digits: 34 ms on one thread, 19 on two)', () => {
    const size = { logN: 16, limbs: 24, specialLimbs: 8, digits: 3 }
    expect(createDefaultCostModel().seconds('rotate', size) * 1000).toBeGreaterThan(28)
    expect(createDefaultCostModel().seconds('rotate', size) * 1000).toBeLessThan(40)
    expect(createDefaultCostModel({ threads: 2 }).seconds('rotate', size) * 1000).toBeLessThan(23)
  })
  it('gives every kind a time that grows with the level', () => {
    const model = createDefaultCostModel()
    for (const kind of OPERATION_KINDS) {
      const times = [0, 4, 8].map((level) => model.seconds(kind, operationSize(parameters, level)))
      expect(times[0]).toBeGreaterThan(0)
      expect(times[1]).toBeGreaterThan(times[0]!)
      expect(times[2]).toBeGreaterThan(times[1]!)
    }
  })
  it('can be scaled by calibration', () => {
    const base = createDefaultCostModel({ threads: 2 })
    const model = scaleCostModel(base, { rotate: 2 }, { name: 'calibrated', otherwise: 3 })
    const size = operationSize(parameters, 3)
    expect(model.seconds('rotate', size)).toBe(2 * base.seconds('rotate', size))
    expect(model.seconds('mul', size)).toBe(3 * base.seconds('mul', size))
    expect(model).toMatchObject({ name: 'calibrated', threads: 2 })
  })
})

describe('estimates', () => {
  it('multiplying by an integer rounds nothing; by a fraction, at its scale', () => {
    const engine = createPlanEngine(parameters)
    const x = engine.input({ error: 2 ** -20 })
    expect(engine.estimate(engine.mulInteger(x, 3)).error).toBeCloseTo(3 * 2 ** -20, 30)
    expect(engine.estimate(engine.mulScalar(x, 1 / 3, 2 ** 10)).error).toBeGreaterThan(2 ** -13)
  })
  it('a matrix product rounds what is no multiple of its scale, and nothing else', () => {
    const engine = createPlanEngine(parameters)
    const inputs = [engine.input({ error: 0 }), engine.input({ error: 0 })]
    const errors = (data: readonly number[], scale: number) =>
      engine
        .matrixProduct(inputs, { rows: data.length / 2, columns: 2, data: Float64Array.from(data) }, scale)
        .map((product) => engine.estimate(product).error)
    expect(errors([1, -3, 0.5, 2, 0.25, 0.25], 2)).toEqual([0, 0, Math.SQRT1_2 / 2])
    expect(errors([1, 1], 1)).toEqual([0])
  })
  it('leaves out what rounding constants brings, where only differences between copies count', () => {
    const exact = createPlanEngine(parameters, { betweenCopies: true })
    const x = exact.input({ error: 0 })
    const weights = { rows: 1, columns: 1, data: Float64Array.of(1 / 3) }
    const mask = exact.encode(Float64Array.of(1 / 3, 0), { level: x.level, scale: 2 ** 20 })
    for (const product of [
      exact.mulPlain(x, mask),
      exact.mulScalar(x, 1 / 3, 2 ** 20),
      ...exact.matrixProduct([x], weights, 2 ** 20),
    ]) {
      expect(exact.estimate(product).error).toBe(0)
      expect(exact.estimate(exact.rescale(product)).error).toBeGreaterThan(0)
    }
  })
  it('modRaise adds multiples of q0 to the values, and trace keeps what has the period', () => {
    const engine = createPlanEngine(parameters)
    const raised = engine.modRaise(engine.input({ level: 0, magnitude: 0 }), 3)
    // coefficients of deviation sqrt(33 / 12), sqrt(N) of them to a slot
    const multiple = parameters.groupProduct(0) / parameters.scaleAt(0)
    expect(engine.estimate(raised).magnitude).toBeCloseTo(multiple * Math.sqrt((N * 33) / 12), 6)
    const traced = engine.trace(raised, 16)
    expect([traced.slots, traced.level]).toEqual([16, 3])
    expect(engine.report().keyRequest).toMatchObject({
      encapsulation: 3,
      rotations: [{ steps: 16, level: 3 }, {}, {}, {}, {}],
    })
    expect(() => engine.modRaise(raised)).toThrow(LevelError)
    expect(() => engine.trace(raised, 24)).toThrow(InvalidArgumentError)
  })

  it('raiseTransforms costs less than modRaise and a transform, and its keys fewer bytes', async () => {
    const set = createParameters({ logN: 15, levels: 16, scaleBits: 30, baseBits: 36, dnum: 3 })
    const slots = set.maxSlots
    const diagonals = new Map(Array.from({ length: 32 }, (_, i) => [512 * i, Float64Array.of(0.5)]))
    const run = async (work: (engine: PlanEngine, x: Ciphertext, split?: 'none') => Promise<Ciphertext>) => {
      const engine = createPlanEngine(set)
      const before = engine.memory().plaintexts
      const y = await work(engine, engine.input({ level: 0, magnitude: 0.1, slots }))
      expect(before).toBe(0)
      return { ...engine.report(), level: y.level, scale: y.scale, estimate: engine.estimate(y)! }
    }
    const scale = 2 ** 30
    const at = { level: 16, scale }
    const fused = await run(
      async (engine, x) =>
        engine.raiseTransforms(
          [x],
          await prepareLinearTransform(engine, { slots, diagonals }, { ...at, split: 'none' }),
        )[0]!,
    )
    const apart = await run(async (engine, x) =>
      engine.linearTransformRescale(engine.modRaise(x), await prepareLinearTransform(engine, { slots, diagonals }, at)),
    )
    expect([fused.level, fused.scale]).toEqual([apart.level, apart.scale])
    const steps = Array.from({ length: 31 }, (_, i) => 512 * (i + 1))
    expect(fused.keyRequest).toEqual({ rotations: [], encapsulation: 16, raising: steps })
    expect(fused.totals).toMatchObject({ raiseTransform: 1, raiseTerm: 32 })
    expect(fused.seconds).toBeLessThan(0.75 * apart.seconds)
    expect(fused.keyBytes).toBeLessThan(apart.keyBytes)
    expect(fused.estimate.magnitude).toBeCloseTo(apart.estimate.magnitude, 6)
    expect(Math.abs(Math.log2(fused.estimate.error / apart.estimate.error))).toBeLessThan(3)
  })
})
