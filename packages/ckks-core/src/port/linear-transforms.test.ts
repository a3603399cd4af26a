/** Several ciphertexts through one transform, on engines that compute at once. */
import { describe, expect, it } from 'vitest'
import { diagonalsFromDense, prepareLinearTransform } from '../circuits/index.ts'
import { ClearEngine, createClearEngine } from '../engines/clear/index.ts'
import { InvalidArgumentError, LevelError, MissingKeyError, ParameterMismatchError } from '../errors/errors.ts'
import { oneprime40 as parameters } from '../testing/test-parameters.ts'

const SLOTS = 16
const vector = (seed: number, length = SLOTS) => Float64Array.from({ length }, (_, i) => Math.sin(i * seed + 1))
const matrix = diagonalsFromDense({ rows: SLOTS, columns: SLOTS, re: vector(3, SLOTS * SLOTS) })

describe('linearTransforms on the clear engine', () => {
  it.each([1, 2, 3, 4, 5])('%i ciphertexts: each as on its own, whatever its scale and period', async (count) => {
    const engine = createClearEngine(parameters, { noise: false })
    const transform = await prepareLinearTransform(engine, matrix, { level: 2 })
    const inputs = Array.from({ length: count }, (_, i) =>
      engine.encryptClear(vector(i, i === 1 ? 4 : SLOTS), { level: 2, scale: 2 ** (40 - i) }),
    )
    const together = engine.linearTransforms(inputs, transform)
    for (const [i, x] of inputs.entries()) {
      const alone = engine.linearTransform(x, transform)
      expect(together[i]).toMatchObject({ level: 2, slots: SLOTS, degree: 1, scale: alone.scale })
      expect(engine.readClear(together[i]!)).toEqual(engine.readClear(alone))
      alone.dispose()
    }
    expect(together).toHaveLength(count)
    for (const handle of [...inputs, ...together, transform]) handle.dispose()
    expect(engine.memory().total).toBe(0)
  })

  it('refuses what a single call refuses, and none at all', async () => {
    const engine = createClearEngine(parameters)
    const transform = await prepareLinearTransform(engine, matrix, { level: 2 })
    const [x, high, long] = [
      engine.encryptClear(vector(1), { level: 2 }),
      engine.encryptClear(vector(1), { level: 3 }),
      engine.encryptClear(vector(1, 2 * SLOTS), { level: 2 }),
    ]
    expect(() => engine.linearTransforms([], transform)).toThrow(InvalidArgumentError)
    expect(() => engine.linearTransforms([x, high], transform)).toThrow(LevelError)
    expect(() => engine.linearTransforms([x, high], transform)).toThrow(
      'linearTransforms: prepared for level 2, got a ciphertext at level 3',
    )
    expect(() => engine.linearTransforms([long, x], transform)).toThrow(/made for 16 slots, got .* of period 32/)
    expect(() => engine.linearTransforms([x, engine.square(x)], transform)).toThrow(/expected degree 1/)
    const other = createClearEngine(parameters).encryptClear(vector(1), { level: 2 })
    expect(() => engine.linearTransforms([x, other], transform)).toThrow(ParameterMismatchError)
    const poor = createClearEngine(parameters, { keys: { rotations: [] } })
    const there = await prepareLinearTransform(poor, matrix, { level: 2 })
    const y = poor.encryptClear(vector(1), { level: 2 })
    expect(() => poor.linearTransforms([y, y], there)).toThrow(MissingKeyError)
  })

  it('keeps nothing of those before one that fails', async () => {
    class Failing extends ClearEngine {
      calls = 0
      protected override doLinearTransform(...args: Parameters<ClearEngine['doLinearTransform']>) {
        if (++this.calls === 3) throw new InvalidArgumentError('the third')
        return super.doLinearTransform(...args)
      }
    }
    const engine = new Failing(parameters)
    const transform = await prepareLinearTransform(engine, matrix, { level: 2 })
    const x = engine.encryptClear(vector(1), { level: 2 })
    const before = engine.memory().total
    expect(() => engine.linearTransforms([x, x, x, x], transform)).toThrow('the third')
    expect(engine.memory().total).toBe(before)
  })
})
