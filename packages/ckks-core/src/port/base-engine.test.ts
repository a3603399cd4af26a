import { describe, expect, it } from 'vitest'
import { diagonalsFromDense, prepareLinearTransform } from '../circuits/index.ts'
import { ClearEngine } from '../engines/clear/index.ts'
import { createPlanEngine } from '../engines/plan/index.ts'
import { InvalidArgumentError, LevelError, ScaleError } from '../errors/errors.ts'
import { oneprime40 as parameters } from '../testing/test-parameters.ts'
import { BaseEngine } from './base-engine.ts'
import type { PreparedLinearTransform } from './linear-transform.ts'

/** The clear engine with every default of the base class. */
class DefaultEngine extends ClearEngine {
  protected override doMatrixProduct(...args: Parameters<ClearEngine['doMatrixProduct']>) {
    // biome-ignore lint/complexity/useLiteralKeys: the bracket reaches a protected method
    return BaseEngine.prototype['doMatrixProduct'].apply(this, args as never) as ReturnType<
      ClearEngine['doMatrixProduct']
    >
  }
}

const SLOTS = 64
const BYTES = SLOTS * 8
const vector = (seed: number) => Float64Array.from({ length: SLOTS }, (_, i) => Math.sin(i * seed + 1))

describe('defaults of fused calls', () => {
  it('sum and mulAccumulate keep one term and the total alive', () => {
    const engine = new DefaultEngine(parameters)
    const xs = Array.from({ length: 50 }, (_, i) => engine.encryptClear(vector(i)))
    const before = engine.memory().peak
    const sum = engine.sum(xs)
    expect(engine.memory().peak - before).toBeLessThanOrEqual(2 * BYTES)
    const products = engine.mulAccumulate(xs.map((x) => [x, x] as const))
    expect(engine.memory().peak - before).toBeLessThanOrEqual(4 * BYTES)
    const want = vector(0).map((_, i) => xs.reduce((total, _x, k) => total + vector(k)[i]! ** 2, 0))
    for (const [i, v] of engine.readClear(products).re.entries()) expect(v).toBeCloseTo(want[i]!, 10)
    expect(products.degree).toBe(2)
    for (const h of [...xs, sum, products]) h.dispose()
    expect(engine.memory().total).toBe(0)
  })

  it('sum takes mixed degrees, and a single term becomes a new handle', () => {
    const engine = new DefaultEngine(parameters)
    const x = engine.encryptClear(vector(1), { level: 3 })
    const square = engine.square(x)
    const raised = engine.mulScalar(x, 1, x.scale)
    expect(engine.sum([raised, square, raised]).degree).toBe(2)
    const one = engine.sum([x])
    x.dispose()
    expect(engine.readClear(one).re).toEqual(vector(1))
  })

  it('linearCombination takes any degrees and scales, and adds a constant', () => {
    const engine = new DefaultEngine(parameters)
    const x = engine.encryptClear(vector(1), { level: 3 })
    const square = engine.square(x)
    const terms = [
      { ciphertext: square, by: 2 },
      { ciphertext: x, by: { re: -0.5, im: 1 } },
    ]
    const sum = engine.linearCombination(terms, square.scale, 0.25)
    expect(sum).toMatchObject({ level: 3, degree: 2, scale: square.scale })
    const { re, im } = engine.readClear(sum)
    for (const [i, v] of vector(1).entries()) {
      expect(re[i]).toBeCloseTo(2 * v * v - 0.5 * v + 0.25, 9)
      expect(im?.[i]).toBeCloseTo(v, 9)
    }
    const again = engine.linearCombination([{ ciphertext: x, by: 1 }], x.scale)
    x.dispose()
    expect(engine.readClear(again).re).toEqual(vector(1))
    const low = engine.dropLevel(again, 2)
    expect(() => engine.linearCombination([], 2 ** 40)).toThrow(InvalidArgumentError)
    expect(() => engine.linearCombination([{ ciphertext: again, by: 1 }], again.scale / 2)).toThrow(ScaleError)
    const apart = [again, low].map((ciphertext) => ({ ciphertext, by: 1 }))
    expect(() => engine.linearCombination(apart, again.scale)).toThrow(LevelError)
  })

  it('productCombination is linearCombination of products and terms', () => {
    const engine = new DefaultEngine(parameters)
    const x = engine.encryptClear(vector(1), { level: 3 })
    const y = engine.encryptClear(vector(2), { level: 3 })
    const [v, w] = [vector(1), vector(2)]
    const scale = x.scale * y.scale
    for (const [pairs, value] of [
      [[[x, x] as const], (i: number) => v[i]! ** 2],
      [[[x, y] as const], (i: number) => v[i]! * w[i]!],
      [[[x, y] as const, [y, y] as const], (i: number) => v[i]! * w[i]! + w[i]! ** 2],
    ] as const) {
      const terms = [{ ciphertext: y, by: -0.5 }]
      const before = engine.memory().ciphertexts
      const sum = engine.productCombination(pairs, terms, scale, { by: 2, constant: 0.25 })
      // nothing but the result is left
      expect(engine.memory().ciphertexts).toBe(before + before / 2)
      expect(sum).toMatchObject({ level: 3, degree: 2, scale })
      const { re } = engine.readClear(sum)
      for (let i = 0; i < v.length; i++) expect(re[i]).toBeCloseTo(2 * value(i) - 0.5 * w[i]! + 0.25, 9)
      sum.dispose()
      const plain = engine.productCombination(pairs, [], scale)
      expect(engine.readClear(plain).re[1]).toBeCloseTo(value(1), 9)
      plain.dispose()
    }
    const low = engine.dropLevel(x, 2)
    expect(() => engine.productCombination([], [{ ciphertext: x, by: 1 }], scale)).toThrow(InvalidArgumentError)
    expect(() => engine.productCombination([[x, low]], [], scale)).toThrow(LevelError)
    expect(() => engine.productCombination([[x, y]], [{ ciphertext: low, by: 1 }], scale)).toThrow(LevelError)
    expect(() => engine.productCombination([[x, y]], [], scale / 2)).toThrow(ScaleError)
    expect(() => engine.productCombination([[engine.square(x), y]], [], scale)).toThrow(/degree 1/)
  })

  it('deferred plaintexts are for linear transforms only, where there are any', () => {
    const options = { level: 3, scale: parameters.scale, deferred: true }
    const plan = createPlanEngine(parameters)
    const deferred = plan.encode(vector(1), options)
    expect(deferred).toMatchObject({ deferred: true, extended: true })
    for (const operation of ['addPlain', 'subPlain', 'mulPlain'] as const)
      expect(() => plan[operation](plan.input({ level: 3 }), deferred)).toThrow(/for linear transforms only/)
    const clear = new DefaultEngine(parameters)
    expect(clear.encode(vector(1), options)).toMatchObject({ deferred: false, extended: false })
  })

  it('matrixProduct is the matrix product', () => {
    const engine = new DefaultEngine(parameters)
    const inputs = [1, 2, 3].map((k) => engine.encryptClear(vector(k)))
    const data = Float64Array.of(1, -2, 0.5, 0, 3, 0.25)
    const out = engine.matrixProduct(inputs, { rows: 2, columns: 3, data })
    for (const [row, y] of out.entries())
      for (const [i, v] of engine.readClear(y).re.entries()) {
        const want = [0, 1, 2].reduce((total, c) => total + data[row * 3 + c]! * vector(c + 1)[i]!, 0)
        expect(v).toBeCloseTo(want, 12)
      }
    for (const h of [...inputs, ...out]) h.dispose()
    expect(engine.memory().total).toBe(0)
  })

  it('linearTransform keeps the babies, and each only as long as it is read', async () => {
    const engine = new DefaultEngine(parameters)
    const re = Float64Array.from({ length: SLOTS * SLOTS }, (_, i) => Math.cos(i))
    const split = { length: 8, offset: 0 }
    const transform = await prepareLinearTransform(engine, diagonalsFromDense({ rows: SLOTS, columns: SLOTS, re }), {
      level: 2,
      split,
    })
    const x = engine.encryptClear(vector(1), { level: 2 })
    const before = engine.memory().total
    const y = engine.linearTransform(x, transform)
    // 8 babies; total and rotated part; inner total, product and their sum
    expect(engine.memory().peak - before).toBeLessThanOrEqual((8 + 2 + 3) * BYTES)
    const got = engine.readClear(y).re
    for (let i = 0; i < SLOTS; i++)
      expect(got[i]).toBeCloseTo(
        vector(1).reduce((total, v, j) => total + re[i * SLOTS + j]! * v, 0),
        10,
      )
    for (const h of [x, y, transform]) h.dispose()
    expect(engine.memory().total).toBe(0)
  })

  it('runs the default transform with the keys and counts of its steps', async () => {
    const plan = createPlanEngine(parameters, { doubleHoisting: false })
    const re = Float64Array.from({ length: 256 }, () => 1)
    const split = { length: 4, offset: 0 }
    const t = await prepareLinearTransform(plan, diagonalsFromDense({ rows: 16, columns: 16, re }), { level: 2, split })
    plan.linearTransform(plan.input({ level: 2, slots: 16 }), t)
    expect(plan.report().totals).toMatchObject({
      decompose: 1,
      hoistedRotation: 3,
      rotate: 3,
      mulPlain: 16,
      add: 12 + 3,
    })
    expect(plan.loadedKeys.rotations.map((r) => r.steps)).toEqual([1, 2, 3, 4, 8, 12])
  })
})

describe('linearTransform checks its diagonals', () => {
  const engine = new DefaultEngine(parameters)
  const x = engine.encryptClear(vector(1), { level: 2 })
  const transform = (level: number, scale: number, slots: number): PreparedLinearTransform => {
    const plaintext = engine.encode(new Float64Array(slots).fill(1), { level, scale })
    const giants = [{ step: 0, terms: [{ step: 0, plaintext }] }]
    return { slots: SLOTS, level: 2, scale: 2 ** 40, giants, dispose() {}, [Symbol.dispose]() {} }
  }
  it('level, scale and period', () => {
    expect(() => engine.linearTransform(x, transform(1, 2 ** 40, SLOTS))).toThrow(LevelError)
    expect(() => engine.linearTransform(x, transform(2, 2 ** 39, SLOTS))).toThrow(InvalidArgumentError)
    expect(() => engine.linearTransform(x, transform(2, 2 ** 40, 2 * SLOTS))).toThrow(/period 128/)
    expect(engine.linearTransform(x, transform(2, 2 ** 40, 1)).slots).toBe(SLOTS)
  })
})
