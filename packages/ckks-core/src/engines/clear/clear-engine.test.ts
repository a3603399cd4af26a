import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  DisposedError,
  FormatError,
  InvalidArgumentError,
  LevelError,
  MissingKeyError,
  ParameterMismatchError,
  ScaleError,
} from '../../errors/errors.ts'
import { oneprime40 as parameters } from '../../testing/test-parameters.ts'
import { createClearEngine } from './clear-engine.ts'

const engine = createClearEngine(parameters)
const ct = (...values: number[]) => engine.encryptClear(Float64Array.from(values))
const top = parameters.maxLevel

describe('arithmetic, by hand', () => {
  const a = engine.encryptClear({ re: Float64Array.of(1, 2), im: Float64Array.of(3, 4) })
  const b = ct(5, 6, 7, 8)
  const p = engine.encode(Float64Array.of(10, 20), { level: top, scale: parameters.scale })
  const read = (c: Parameters<typeof engine.readClear>[0]) => {
    const { re, im } = engine.readClear(c)
    return [[...re], [...im]]
  }
  it.each([
    ['add', engine.add(a, b), [6, 8, 8, 10], [3, 4, 3, 4]],
    ['sub', engine.sub(b, a), [4, 4, 6, 6], [-3, -4, -3, -4]],
    ['sum', engine.sum([a, b, b]), [11, 14, 15, 18], [3, 4, 3, 4]],
    ['negate', engine.negate(a), [-1, -2], [-3, -4]],
    ['addPlain', engine.addPlain(b, p), [15, 26, 17, 28], [0, 0, 0, 0]],
    ['subPlain', engine.subPlain(a, p), [-9, -18], [3, 4]],
    ['mulPlain', engine.mulPlain(a, p), [10, 40], [30, 80]],
    ['addScalar', engine.addScalar(b, { re: 1, im: 2 }), [6, 7, 8, 9], [2, 2, 2, 2]],
    ['mulScalar', engine.mulScalar(a, { re: 0, im: 2 }), [-6, -8], [2, 4]],
    ['mulScalar, real', engine.mulScalar(b, { re: 1, im: 2 }), [5, 6, 7, 8], [10, 12, 14, 16]],
    ['mulInteger', engine.mulInteger(a, -3), [-3, -6], [-9, -12]],
    ['mulByI', engine.mulByI(a), [-3, -4], [1, 2]],
    ['mul', engine.mul(a, b), [5, 12, 7, 16], [15, 24, 21, 32]],
    ['square', engine.square(a), [-8, -12], [6, 16]],
    [
      'mulAccumulate',
      engine.mulAccumulate([
        [a, b],
        [b, b],
      ]),
      [30, 48, 56, 80],
      [15, 24, 21, 32],
    ],
    ['relinearize', engine.relinearize(engine.square(b)), [25, 36, 49, 64], [0, 0, 0, 0]],
    ['rescale', engine.rescale(engine.mulScalar(b, 2)), [10, 12, 14, 16], [0, 0, 0, 0]],
    ['dropLevel', engine.dropLevel(a, 2), [1, 2], [3, 4]],
    ['rotate', engine.rotate(b, 1), [6, 7, 8, 5], [0, 0, 0, 0]],
    ['rotate right', engine.rotate(b, -1), [8, 5, 6, 7], [0, 0, 0, 0]],
    ['rotate by the period', engine.rotate(b, 4), [5, 6, 7, 8], [0, 0, 0, 0]],
    ['conjugate', engine.conjugate(a), [1, 2], [-3, -4]],
  ])('%s', (_, result, re, im) => {
    expect(read(result)).toEqual([re, im.map((x) => x + 0)])
  })
  it('matrixProduct', () => {
    const weights = { rows: 3, columns: 2, data: Float64Array.of(1, 0, 0, 1, 2, -1) }
    const out = engine.matrixProduct([a, b], weights)
    expect(out.map(read)).toEqual([
      [
        [1, 2, 1, 2],
        [3, 4, 3, 4],
      ],
      [
        [5, 6, 7, 8],
        [0, 0, 0, 0],
      ],
      [
        [-3, -2, -5, -4],
        [6, 8, 6, 8],
      ],
    ])
    const rescaled = engine.rescale(out[0]!)
    expect(Math.abs(rescaled.scale / parameters.scaleAt(top - 1) - 1)).toBeLessThan(1e-12)
  })
})

describe('checks', () => {
  const low = engine.dropLevel(ct(1), 0)
  const x = ct(1, 2)
  const cases: [string, () => unknown, new (...args: never[]) => Error][] = [
    ['levels differ', () => engine.add(x, engine.dropLevel(x, 3)), LevelError],
    ['scales differ', () => engine.add(x, engine.encryptClear(Float64Array.of(1), { scale: 2 ** 41 })), ScaleError],
    ['no level left', () => engine.rescale(low), LevelError],
    ['scale outgrows the modulus', () => engine.mul(low, low), ScaleError],
    ['degree 2 into a product', () => engine.mul(engine.square(x), x), InvalidArgumentError],
    ['degree 2 into a rotation', () => engine.rotate(engine.square(x), 1), InvalidArgumentError],
    [
      'another engine',
      () => engine.add(x, createClearEngine(parameters).encryptClear(Float64Array.of(1))),
      ParameterMismatchError,
    ],
    [
      'plaintext too low',
      () => engine.addPlain(x, engine.encode(Float64Array.of(1), { level: 1, scale: x.scale })),
      LevelError,
    ],
    ['NaN', () => engine.encode(Float64Array.of(Number.NaN), { level: 1, scale: 1 }), InvalidArgumentError],
    ['three slots', () => ct(1, 2, 3), InvalidArgumentError],
    [
      'lazy source of the wrong length',
      () => engine.encode({ slots: 4, values: () => new Float64Array(2) }, { level: 1, scale: 1 }),
      InvalidArgumentError,
    ],
    ['value too large', () => engine.encode(Float64Array.of(2 ** 10), { level: 0, scale: 2 ** 40 }), ScaleError],
    ['value grew too large', () => engine.readClear(engine.mulInteger(low, 2 ** 12)), ScaleError],
    ['raise', () => engine.dropLevel(low, 1), LevelError],
    ['no terms', () => engine.sum([]), InvalidArgumentError],
    ['fraction of a step', () => engine.rotate(x, 0.5), InvalidArgumentError],
    ['fraction of an integer', () => engine.mulInteger(x, 0.5), InvalidArgumentError],
    ['infinite constant', () => engine.mulScalar(x, Number.POSITIVE_INFINITY), InvalidArgumentError],
  ]
  it.each(cases)('%s', (_, run, error) => {
    expect(run).toThrow(error)
  })
  it('values that fit only because their signs differ', () => {
    const values = Float64Array.from({ length: 512 }, (_, i) => 600 * Math.sin(i * i))
    expect(engine.readClear(engine.encryptClear(values, { level: 0 })).re).toEqual(values)
    expect(() => engine.encryptClear(values.map(Math.abs), { level: 0 })).toThrow(/largest coefficient is 3/)
  })
  it('missing keys', () => {
    const keys = { relinearization: 3, rotations: [{ steps: 1, level: 3 }] }
    const limited = createClearEngine(parameters, { keys })
    const high = limited.encryptClear(Float64Array.of(1, 2, 3, 4))
    const mid = limited.dropLevel(high, 3)
    expect(() => limited.rotate(high, 1)).toThrow(MissingKeyError)
    expect(() => limited.rotate(mid, 2)).toThrow(/rotation key for 2 steps/)
    expect(() => limited.conjugate(mid)).toThrow(MissingKeyError)
    expect(() => limited.relinearize(limited.square(high))).toThrow(MissingKeyError)
    limited.rotate(mid, 1)
    limited.rotate(mid, 4)
    limited.relinearize(limited.square(mid))
  })
  it('all keys are listed', () => {
    expect(engine.loadedKeys.rotations).toHaveLength(parameters.maxSlots - 1)
  })
  it('use after dispose', () => {
    const y = ct(1)
    y.dispose()
    y.dispose()
    expect(() => engine.negate(y)).toThrow(DisposedError)
  })
  it('export and import', async () => {
    const y = await engine.importCiphertext(await engine.exportCiphertext(x))
    expect(engine.readClear(y)).toEqual(engine.readClear(x))
    await expect(engine.importCiphertext(new Uint8Array())).rejects.toThrow(FormatError)
  })
})

describe('memory', () => {
  it('is counted exactly', () => {
    const own = createClearEngine(parameters)
    const x = own.encryptClear(new Float64Array(16))
    const y = own.mulByI(x)
    const p = own.encode(new Float64Array(8), { level: 1, scale: 1 })
    expect(own.memory()).toMatchObject({ ciphertexts: 16 * 8 * 3, plaintexts: 64, total: 16 * 24 + 64 })
    for (const h of [x, y, p]) h.dispose()
    expect(own.memory()).toMatchObject({ total: 0, peak: 16 * 24 + 64 })
  })
})

describe('noise', () => {
  it('is reproducible by its seed', () => {
    const run = (seed: number) => {
      const noisy = createClearEngine(parameters, { noise: { seed } })
      return noisy.readClear(noisy.encryptClear(Float64Array.of(1, 2))).re
    }
    expect(run(7)).toEqual(run(7))
    expect(run(7)).not.toEqual(run(8))
  })
  it('stays small through any short circuit', () => {
    fc.assert(
      fc.property(fc.integer(), fc.double({ min: -1, max: 1, noNaN: true }), (seed, v) => {
        const noisy = createClearEngine(parameters, { noise: { seed } })
        const x = noisy.encryptClear(new Float64Array(64).fill(v))
        const y = noisy.rescale(noisy.relinearize(noisy.square(noisy.rotate(x, 3))))
        const got = noisy.readClear(y)
        for (const value of got.re) expect(Math.abs(value - v * v)).toBeLessThan(2 ** -24)
        expect(got.re.some((value) => value !== v * v)).toBe(true)
      }),
      { numRuns: 20 },
    )
  })
})
