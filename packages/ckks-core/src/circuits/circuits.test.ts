import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createClearEngine } from '../engines/clear/index.ts'
import { createPlanEngine } from '../engines/plan/index.ts'
import { InvalidArgumentError, LevelError, ScaleError } from '../errors/errors.ts'
import { SCALE_TOLERANCE } from '../port/operand-checks.ts'
import { oneprime40 as parameters, testParameters } from '../testing/test-parameters.ts'
import { doubledImaginaryPart, doubledParts, doubledRealPart, joinParts } from './complex-parts.ts'
import { innerSum, innerSumSteps } from './inner-sum.ts'
import { Scope, scope } from './scope.ts'
import { toLevel } from './to-level.ts'

describe('scope', () => {
  const engine = createClearEngine(parameters)
  const make = () => engine.encryptClear(Float64Array.of(1, 2))

  it('disposes of temporaries and keeps the result', () => {
    let temporary: ReturnType<typeof make> | undefined
    const result = scope((use) => {
      temporary = use(make())
      return use(engine.add(temporary, temporary))
    })
    expect(temporary!.disposed).toBe(true)
    expect(result.disposed).toBe(false)
    result.dispose()
  })
  it('keeps arrays, and cleans up after errors', () => {
    const pair = scope((use) => [use(make()), use(make())])
    expect(pair.map((c) => c.disposed)).toEqual([false, false])
    let temporary: ReturnType<typeof make> | undefined
    expect(() =>
      scope((use) => {
        temporary = use(make())
        throw new Error('no')
      }),
    ).toThrow('no')
    expect(temporary!.disposed).toBe(true)
  })
  it('refuses asynchronous bodies', () => {
    expect(() => scope(async () => 1)).toThrow(InvalidArgumentError)
  })
  it('works as an object', () => {
    const s = new Scope()
    const [a, b] = [s.use(make()), s.use(make())]
    s.keep(a)
    s[Symbol.dispose]()
    expect([a.disposed, b.disposed]).toEqual([false, true])
  })
})

describe.each(testParameters)('toLevel, %s', (_, set) => {
  it('brings any scale to the nominal one of any lower level', () => {
    const engine = createClearEngine(set)
    fc.assert(
      fc.property(fc.nat(8), fc.nat(8), fc.double({ min: 0.7, max: 1.5, noNaN: true }), (from, to, factor) => {
        fc.pre(from > to)
        const x = engine.encryptClear(Float64Array.of(0.25, -3), { level: from, scale: set.scaleAt(from) * factor })
        const y = toLevel(engine, x, to)
        expect(y.level).toBe(to)
        expect(Math.abs(y.scale / set.scaleAt(to) - 1)).toBeLessThan(SCALE_TOLERANCE)
        expect(engine.readClear(y).re[1]).toBeCloseTo(-3, 12)
        y.dispose()
        x.dispose()
      }),
    )
    expect(engine.memory().total).toBe(0)
  })
})

describe('toLevel', () => {
  const engine = createClearEngine(parameters)
  it('is a new handle when nothing has to be done', () => {
    const x = engine.encryptClear(Float64Array.of(1))
    const y = toLevel(engine, x, 8)
    x.dispose()
    expect(engine.readClear(y).re[0]).toBe(1)
  })
  it('refuses to raise, and to change the scale without a level', () => {
    const x = engine.encryptClear(Float64Array.of(1), { level: 3 })
    expect(() => toLevel(engine, x, 4)).toThrow(LevelError)
    expect(() => toLevel(engine, x, 3, x.scale * 1.01)).toThrow(ScaleError)
    const big = engine.encryptClear(Float64Array.of(1), { level: 3, scale: parameters.scale ** 2 })
    expect(() => toLevel(engine, big, 2)).toThrow(/rescale first/)
  })
})

describe('innerSum', () => {
  it('adds count slots at a stride, both ways', () => {
    const engine = createClearEngine(parameters)
    const x = Float64Array.from({ length: 64 }, (_, i) => i * i)
    const ct = engine.encryptClear(x)
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 }), fc.integer({ min: -9, max: 9 }), (count, stride) => {
        const sum = innerSum(engine, ct, { count, stride })
        const want = x.map((_, j) => {
          let total = 0
          for (let i = 0; i < count; i++) total += x[(((j + i * stride) % 64) + 64) % 64]!
          return total
        })
        expect(engine.readClear(sum).re).toEqual(want)
        sum.dispose()
      }),
    )
    ct.dispose()
    expect(engine.memory().total).toBe(0)
  })
  it('tells its rotations', () => {
    for (const count of [1, 2, 3, 7, 8, 23]) {
      const engine = createPlanEngine(parameters)
      innerSum(engine, engine.input(), { count, stride: 3 })
      const steps = innerSumSteps({ count, stride: 3 })
      expect(engine.report().totals.rotate ?? 0).toBe(steps.length)
      expect(engine.loadedKeys.rotations.map((r) => r.steps)).toEqual([...new Set(steps)].sort((a, b) => a - b))
    }
  })
  it('refuses odd counts', () => {
    const engine = createPlanEngine(parameters)
    expect(() => innerSum(engine, engine.input(), { count: 0 })).toThrow(InvalidArgumentError)
    expect(() => innerSum(engine, engine.input(), { count: 2.5 })).toThrow(InvalidArgumentError)
  })
})

describe('complex parts', () => {
  it('split and join', () => {
    const engine = createClearEngine(parameters)
    const x = engine.encryptClear({ re: Float64Array.of(1, 2), im: Float64Array.of(-3, 4) })
    const { real, imaginary } = doubledParts(engine, x)
    const parts = [real, imaginary, doubledRealPart(engine, x), doubledImaginaryPart(engine, x)]
    const read = parts.map((p) => engine.readClear(p))
    expect(read.map((p) => [...p.re])).toEqual([
      [2, 4],
      [-6, 8],
      [2, 4],
      [-6, 8],
    ])
    for (const p of read) expect(p.im.every((v) => v === 0)).toBe(true)
    const joined = engine.readClear(joinParts(engine, real, imaginary))
    expect([...joined.re, ...joined.im]).toEqual([2, 4, -6, 8])
  })
})
