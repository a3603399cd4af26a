import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createClearEngine } from '../../engines/clear/index.ts'
import { createPlanEngine } from '../../engines/plan/index.ts'
import { CancelledError, InvalidArgumentError, LevelError } from '../../errors/errors.ts'
import type { Engine } from '../../port/engine.ts'
import type { Ciphertext } from '../../port/handles.ts'
import { listKeyNeeds } from '../../port/keys.ts'
import { SCALE_TOLERANCE } from '../../port/operand-checks.ts'
import type { SlotSource } from '../../port/slot-values.ts'
import { oneprime40 as parameters, testParameters } from '../../testing/test-parameters.ts'
import { type DiagonalMatrix, diagonalsFromDense, diagonalsFromEntries, type MatrixEntry } from './diagonal-matrix.ts'
import { prepareLinearTransform } from './prepare-linear-transform.ts'
import { chooseSplit, type Split, splitCost, splitSteps } from './split.ts'
import { SplitCounter } from './split-counter.ts'

const value = fc.double({ min: -1, max: 1, noNaN: true })

const matrixCase = fc
  .record({ logSlots: fc.integer({ min: 0, max: 5 }), complex: fc.boolean(), density: fc.constantFrom(0.05, 0.3, 1) })
  .chain(({ logSlots, complex, density }) => {
    const slots = 2 ** logSlots
    return fc.record({
      slots: fc.constant(slots),
      entries: fc.array(
        fc.record({
          row: fc.nat(slots - 1),
          column: fc.nat(slots - 1),
          re: value,
          im: complex ? value : fc.constant(0),
        }),
        { minLength: 1, maxLength: Math.ceil(slots * slots * density) },
      ),
      x: fc.array(value, { minLength: slots, maxLength: slots }),
      split: fc.oneof(
        fc.constant(undefined),
        fc.constant('none' as const),
        fc
          .integer({ min: 1, max: slots })
          .chain((length) => fc.record({ length: fc.constant(length), offset: fc.nat(length - 1) })),
      ),
    })
  })

function product(slots: number, entries: Iterable<MatrixEntry>, x: readonly number[]) {
  const re = new Float64Array(slots)
  const im = new Float64Array(slots)
  for (const e of entries) {
    re[e.row]! += e.re * x[e.column]!
    im[e.row]! += (e.im ?? 0) * x[e.column]!
  }
  return { re, im }
}

describe.each(testParameters)('linear transform, %s', (_, set) => {
  it('is the matrix product for random matrices and every split', async () => {
    const engine = createClearEngine(set)
    await fc.assert(
      fc.asyncProperty(matrixCase, async ({ slots, entries, x, split }) => {
        const matrix = diagonalsFromEntries(slots, entries)
        fc.pre([...entries].some((e) => e.re !== 0 || e.im !== 0))
        const transform = await prepareLinearTransform(engine, matrix, { level: 8, ...(split ? { split } : {}) })
        const input = engine.encryptClear(Float64Array.from(x))
        const raw = engine.linearTransform(input, transform)
        const y = engine.rescale(raw)
        expect(y.level).toBe(7)
        expect(Math.abs(y.scale / set.scaleAt(7) - 1)).toBeLessThan(SCALE_TOLERANCE)
        const got = engine.readClear(y)
        const want = product(slots, entries, x)
        for (let i = 0; i < slots; i++)
          expect(Math.hypot(got.re[i]! - want.re[i]!, got.im[i]! - want.im[i]!)).toBeLessThan(1e-9)
        for (const handle of [transform, input, raw, y]) handle.dispose()
        expect(engine.memory().total).toBe(0)
      }),
      { numRuns: 60 },
    )
  })

  it('keeps the predicted precision under noise', async () => {
    const slots = 32
    const re = Float64Array.from({ length: slots * slots }, (_, i) => Math.sin(i * i))
    const matrix = diagonalsFromDense({ rows: slots, columns: slots, re })
    const x = Float64Array.from({ length: slots }, (_, i) => Math.cos(i))
    const run = async (engine: Engine, input: Ciphertext) => {
      const transform = await prepareLinearTransform(engine, matrix, { level: 8 })
      return engine.rescale(engine.linearTransform(input, transform))
    }
    const [exact, noisy, plan] = [
      createClearEngine(set),
      createClearEngine(set, { noise: true }),
      createPlanEngine(set),
    ]
    const want = exact.readClear(await run(exact, exact.encryptClear(x))).re
    const got = noisy.readClear(await run(noisy, noisy.encryptClear(x))).re
    const { precisionBits } = plan.estimate(await run(plan, plan.input({ slots, magnitude: Math.SQRT1_2 })))
    const worst = Math.max(...got.map((v, i) => Math.abs(v - want[i]!)))
    expect(-Math.log2(worst)).toBeGreaterThan(precisionBits - 3)
    expect(-Math.log2(worst)).toBeLessThan(precisionBits + 1)
  })
})

describe('prepareLinearTransform', () => {
  const identity: DiagonalMatrix = { slots: 8, diagonals: new Map([[0, Float64Array.of(1)]]) }

  it('takes short diagonals as periodic, negative steps and lazy values', async () => {
    const engine = createClearEngine(parameters)
    const diagonals = new Map<number, SlotSource>([
      [-1, Float64Array.of(1)],
      [3, { slots: 2, values: () => Float64Array.of(10, 20) }],
    ])
    const transform = await prepareLinearTransform(engine, { slots: 8, diagonals }, { level: 3 })
    const x = engine.encryptClear(Float64Array.of(0, 1, 2, 3, 4, 5, 6, 7), { level: 3 })
    const y = engine.rescale(engine.linearTransform(x, transform))
    expect([...engine.readClear(y).re].map(Math.round)).toEqual([37, 80, 51, 122, 73, 4, 15, 46])
  })

  it('lets a ciphertext of a shorter period in', async () => {
    const engine = createClearEngine(parameters)
    const matrix = diagonalsFromDense({ rows: 4, columns: 4, re: Float64Array.from({ length: 16 }, (_, i) => i) })
    const transform = await prepareLinearTransform(engine, matrix, { level: 1 })
    const y = engine.rescale(
      engine.linearTransform(engine.encryptClear(Float64Array.of(1, 2), { level: 1 }), transform),
    )
    expect([...engine.readClear(y).re].map((v) => Math.round(v))).toEqual([10, 34, 58, 82])
    const long = engine.encryptClear(new Float64Array(8), { level: 1 })
    expect(() => engine.linearTransform(long, transform)).toThrow(/period 8/)
    const high = engine.encryptClear(new Float64Array(4), { level: 2 })
    expect(() => engine.linearTransform(high, transform)).toThrow(LevelError)
  })

  it('refuses what makes no sense', async () => {
    const engine = createClearEngine(parameters)
    const zero = { slots: 4, diagonals: new Map([[1, new Float64Array(4)]]) }
    await expect(prepareLinearTransform(engine, zero, { level: 1 })).rejects.toThrow(/no diagonals/)
    const twice = {
      slots: 4,
      diagonals: new Map([
        [1, Float64Array.of(1)],
        [-3, Float64Array.of(1)],
      ]),
    }
    await expect(prepareLinearTransform(engine, twice, { level: 1 })).rejects.toThrow(/given twice/)
    const long = { slots: 2, diagonals: new Map([[1, new Float64Array(4).fill(1)]]) }
    await expect(prepareLinearTransform(engine, long, { level: 1 })).rejects.toThrow(/more than 2 slots/)
    const split = { length: 4, offset: 4 }
    await expect(prepareLinearTransform(engine, identity, { level: 1, split })).rejects.toThrow(InvalidArgumentError)
    expect(() => diagonalsFromEntries(3, [])).toThrow(/power-of-two/)
    expect(() => diagonalsFromEntries(4, [{ row: 4, column: 0, re: 1 }])).toThrow(/outside/)
  })

  it('stops at its signal and leaves nothing behind', async () => {
    const engine = createClearEngine(parameters)
    const controller = new AbortController()
    const diagonals = new Map(
      Array.from({ length: 8 }, (_, i) => [
        i,
        {
          slots: 8,
          values: () => {
            if (i === 3) controller.abort()
            return new Float64Array(8).fill(1)
          },
        },
      ]),
    )
    const { signal } = controller
    await expect(prepareLinearTransform(engine, { slots: 8, diagonals }, { level: 1, signal })).rejects.toThrow(
      CancelledError,
    )
    expect(engine.memory().plaintexts).toBe(0)
  })

  it('yields to the event loop', async () => {
    const engine = createClearEngine(parameters)
    const slow = () => {
      const end = performance.now() + 4
      while (performance.now() < end);
      return Float64Array.of(1)
    }
    const diagonals = new Map(Array.from({ length: 30 }, (_, i) => [i, { slots: 1, values: slow }]))
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    await prepareLinearTransform(engine, { slots: 32, diagonals }, { level: 1 })
    clearInterval(timer)
    expect(turns).toBeGreaterThan(4)
  })

  it('never asks for values on the plan engine, and needs exactly the keys of its steps', async () => {
    const engine = createPlanEngine(parameters)
    const steps = [0, 1, 2, 3, 16, 17, 18, 19, 32, 33, 34, 35]
    const values = () => {
      throw new Error('evaluated')
    }
    const diagonals = new Map(steps.map((s) => [s, { slots: 64, values }]))
    const split: Split = { length: 16, offset: 0 }
    const transform = await prepareLinearTransform(engine, { slots: 64, diagonals }, { level: 5, split })
    engine.rescale(engine.linearTransform(engine.input({ level: 5, slots: 64 }), transform))
    const { totals, keyRequest } = engine.report()
    expect(totals).toMatchObject({ transformBaby: 3, transformTerm: 12, transformGiant: 2, modDown: 1, decompose: 1 })
    expect(listKeyNeeds(keyRequest).map((n) => (n.kind === 'rotation' ? n.steps : n.kind))).toEqual([1, 2, 3, 16, 32])
    expect(keyRequest.rotations.every((r) => r.level === 5)).toBe(true)
  })
})

describe('chooseSplit', () => {
  const costs = { baby: 1, giant: 6 }

  it('never does worse than no giants, and undoes itself', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(511), { minLength: 1, maxLength: 60 }), (steps) => {
        const split = chooseSplit(steps, 512, costs)
        const parts = splitSteps(steps, 512, split)
        for (const { step, baby, giant } of parts) expect((baby + giant) % 512).toBe(step)
        expect(splitCost(parts, costs)).toBeLessThanOrEqual(new Set(steps.filter((s) => s !== 0)).size)
      }),
    )
  })

  it('finds the balance of a dense matrix', () => {
    const steps = Array.from({ length: 256 }, (_, i) => i)
    const split = chooseSplit(steps, 256, costs)
    // b babies and 256 / b giants at 6 each: least near sqrt(6 * 256) = 39
    expect(splitCost(splitSteps(steps, 256, split), costs)).toBeLessThanOrEqual(32 - 1 + 6 * 7)
  })

  it('centres the babies of a convolution', () => {
    // a 3 x 3 kernel on rows of 32, 8 channels a block of 1024 apart
    const steps: number[] = []
    for (let c = 0; c < 8; c++)
      for (const dy of [-1, 0, 1]) for (const dx of [-1, 0, 1]) steps.push((c * 1024 + dy * 32 + dx + 8192) % 8192)
    const parts = splitSteps(steps, 8192, chooseSplit(steps, 8192, costs))
    expect(splitCost(parts, costs)).toBeLessThanOrEqual(8 * 1 + 7 * 6)
  })

  it('counts as splitCost does', () => {
    const counter = new SplitCounter(512)
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(511), { minLength: 1, maxLength: 60 }),
        fc
          .integer({ min: 1, max: 512 })
          .chain((length) => fc.record({ length: fc.constant(length), offset: fc.nat(length - 1) })),
        fc.constantFrom(undefined, 3),
        (steps, split, key) => {
          const prices = key === undefined ? costs : { ...costs, key }
          expect(counter.cost(steps, split, prices)).toBe(splitCost(splitSteps(steps, 512, split), prices))
        },
      ),
    )
  })

  it('weighs keys when told to', () => {
    const steps = Array.from({ length: 64 }, (_, i) => i)
    const cheapKeys = splitSteps(steps, 64, chooseSplit(steps, 64, { baby: 1, giant: 30 }))
    const dearKeys = splitSteps(steps, 64, chooseSplit(steps, 64, { baby: 1, giant: 30, key: 100 }))
    const keys = (parts: typeof cheapKeys) => new Set(parts.flatMap((p) => [p.baby, p.giant])).size
    expect(keys(dearKeys)).toBeLessThan(keys(cheapKeys))
  })
})
