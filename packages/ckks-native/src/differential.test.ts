/**
 * Random circuits of every evaluator call, on the compiled engine and on the clear one: same values to the asserted bits,
 * same level, scale, period and degree, and for calls that must not succeed the same class of error.
 */
import {
  type Ciphertext,
  diagonalsFromDense,
  type Engine,
  evaluateChebyshev,
  HeMlError,
  innerSum,
  insecureParametersWithFiles,
  type PreparedLinearTransform,
  prepareLinearTransform,
  toLevel,
} from '@he-ml/ckks-core'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createStack, type Pair, randomValues, rotationKeys, type Stack } from './native.test-helper.ts'

const STEPS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 100, 508, 511]
const PERIOD = 16

const DEFAULT_SCALE = new Set(['mulScalar', 'matrixProduct', 'evaluateChebyshev', 'toLevel'])

interface Step {
  readonly kind: keyof typeof operations
  readonly a: number
  readonly b: number
  readonly x: number
  readonly n: number
}

interface Context {
  readonly engine: Engine
  readonly pick: (index: number) => Ciphertext
  readonly transform: (level: number) => Promise<PreparedLinearTransform>
}

const one = (c: Ciphertext): Ciphertext[] => [c]

const operations = {
  add: ({ engine, pick }: Context, s: Step) => one(engine.add(pick(s.a), pick(s.b))),
  sub: ({ engine, pick }: Context, s: Step) => one(engine.sub(pick(s.a), pick(s.b))),
  sum: ({ engine, pick }: Context, s: Step) => one(engine.sum([pick(s.a), pick(s.b), pick(s.a)])),
  negate: ({ engine, pick }: Context, s: Step) => one(engine.negate(pick(s.a))),
  addPlain: (c: Context, s: Step) => {
    using p = plain(c, s)
    return one(c.engine.addPlain(c.pick(s.a), p))
  },
  subPlain: (c: Context, s: Step) => {
    using p = plain(c, s)
    return one(c.engine.subPlain(c.pick(s.a), p))
  },
  mulPlain: (c: Context, s: Step) => {
    using p = plain(c, s)
    return one(c.engine.mulPlain(c.pick(s.a), p))
  },
  addScalar: ({ engine, pick }: Context, s: Step) => one(engine.addScalar(pick(s.a), { re: s.x, im: s.n / 64 })),
  mulScalar: ({ engine, pick }: Context, s: Step) => one(engine.mulScalar(pick(s.a), { re: s.x, im: s.n / 64 })),
  mulInteger: ({ engine, pick }: Context, s: Step) => one(engine.mulInteger(pick(s.a), [-2, -1, 2, 3][s.n % 4]!)),
  mulByI: ({ engine, pick }: Context, s: Step) => one(engine.mulByI(pick(s.a))),
  mul: ({ engine, pick }: Context, s: Step) => one(engine.mul(pick(s.a), pick(s.b))),
  square: ({ engine, pick }: Context, s: Step) => one(engine.square(pick(s.a))),
  mulAccumulate: ({ engine, pick }: Context, s: Step) =>
    one(engine.mulAccumulate([[pick(s.a), pick(s.b)] as const, [pick(s.b), pick(s.b)] as const])),
  relinearize: ({ engine, pick }: Context, s: Step) => one(engine.relinearize(pick(s.a))),
  relinearizeRescale: ({ engine, pick }: Context, s: Step) => one(engine.relinearizeRescale(pick(s.a))),
  rescale: ({ engine, pick }: Context, s: Step) => one(engine.rescale(pick(s.a))),
  dropLevel: ({ engine, pick }: Context, s: Step) => one(engine.dropLevel(pick(s.a), s.n % 6)),
  toLevel: ({ engine, pick }: Context, s: Step) => one(toLevel(engine, pick(s.a), s.n % 6)),
  rotate: ({ engine, pick }: Context, s: Step) => one(engine.rotate(pick(s.a), s.n % 2 ? STEPS[s.n % 18]! : s.n - 32)),
  rotateHoisted: ({ engine, pick }: Context, s: Step) => engine.rotateHoisted(pick(s.a), [1, 0, s.n % 16]),
  conjugate: ({ engine, pick }: Context, s: Step) => one(engine.conjugate(pick(s.a))),
  innerSum: ({ engine, pick }: Context, s: Step) => one(innerSum(engine, pick(s.a), { count: 1 + (s.n % 9) })),
  matrixProduct: ({ engine, pick }: Context, s: Step) =>
    engine.matrixProduct([pick(s.a), pick(s.b)], { rows: 2, columns: 2, data: Float64Array.of(s.x, -0.5, 0.25, s.x) }),
  linearCombination: ({ engine, pick }: Context, s: Step) => {
    const terms = [
      { ciphertext: pick(s.a), by: { re: s.x, im: s.n % 3 === 0 ? 0.5 : 0 } },
      { ciphertext: pick(s.b), by: -1 },
    ]
    return one(engine.linearCombination(terms, pick(s.a).scale * 2 ** (7 + (s.n % 12)), s.n % 2 ? 0.25 : 0))
  },
  productCombination: ({ engine, pick }: Context, s: Step) => {
    const [x, y] = [pick(s.a), pick(s.b)]
    const pairs = ([[x, y] as const, [y, y] as const, [x, x] as const] as const).slice(
      s.n % 3,
      1 + (s.n % 3) + (s.n % 2),
    )
    const terms = s.n % 4 === 3 ? [] : [{ ciphertext: x, by: { re: -s.x, im: s.n % 3 === 0 ? 0.5 : 0 } }]
    const options = s.n % 5 === 0 ? {} : { by: 2, constant: -0.25 }
    // at a scale little above the product's its constant would be rounded coarsely
    const [p, q] = pairs[0]!
    return one(engine.productCombination(pairs, terms, p.scale * q.scale, options))
  },
  evaluateChebyshev: ({ engine, pick }: Context, s: Step) =>
    one(evaluateChebyshev(engine, pick(s.a), [0.1, s.x / 2, 0.2, -0.1, 0.05].slice(0, 2 + (s.n % 4)))),
  linearTransform: async ({ engine, pick, transform }: Context, s: Step) =>
    one(engine.linearTransform(pick(s.a), await transform(pick(s.a).level))),
  linearTransformRescale: async ({ engine, pick, transform }: Context, s: Step) =>
    one(engine.linearTransformRescale(pick(s.a), await transform(pick(s.a).level))),
  linearTransforms: async ({ engine, pick, transform }: Context, s: Step) =>
    engine.linearTransforms([pick(s.a), pick(s.b), pick(s.a)].slice(0, s.n % 4), await transform(pick(s.a).level)),
} as const

function plain({ engine, pick }: Context, s: Step) {
  const { level, scale } = pick(s.a)
  const weight = s.kind === 'mulPlain' ? 2 ** (Math.log2(engine.parameters.scale) - 2) : scale
  return engine.encode(randomValues(2 ** (s.n % 10), s.n), { level: s.n % 7 === 0 ? 1 : level, scale: weight })
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(...(Object.keys(operations) as (keyof typeof operations)[])),
  a: fc.nat(50),
  b: fc.nat(50),
  x: fc.integer({ min: 8, max: 128 }).chain((v) => fc.constantFrom(v / 128, -v / 128)),
  n: fc.nat(63),
})

const attempt = async (call: () => Promise<Ciphertext[]> | Ciphertext[]): Promise<Ciphertext[] | HeMlError> => {
  try {
    return await call()
  } catch (error) {
    if (error instanceof HeMlError) return error
    throw error
  }
}

describe.each([
  { name: 'one prime a level', scaleBits: 40, dnum: 3, bits: 20, logN: 10 },
  { name: 'two primes a level, one digit', scaleBits: 56, dnum: 1, bits: 36, logN: 10 },
  // rescaling degree 2 rounds c2, whose error meets s^2: |s|^2 in the unluckiest slot is ln(N / 2) times its mean 2 N / 3, so
  // one secret key in a hundred leaves 11 bits
  { name: 'a digit a limb, N = 2^13', scaleBits: 32, dnum: 6, bits: 10, logN: 13 },
])('random circuits: $name', ({ scaleBits, dnum, bits, logN }) => {
  const parameters = insecureParametersWithFiles({ logN, levels: 5, scaleBits, dnum })
  const level = parameters.maxLevel
  let stack: Stack
  const transforms = new Map<string, Promise<PreparedLinearTransform>>()
  const seen = new Set<string>()
  const matrix = diagonalsFromDense({
    rows: PERIOD,
    columns: PERIOD,
    re: randomValues(PERIOD ** 2, 3).map((v) => v / 4),
  })
  const transformFor = (engine: Engine) => (at: number) => {
    const key = `${engine.name} ${at}`
    const known = transforms.get(key) ?? prepareLinearTransform(engine, matrix, { level: at, deferred: at % 2 === 1 })
    transforms.set(key, known)
    return known
  }

  beforeAll(async () => {
    stack = await createStack(parameters, {
      relinearization: level,
      rotations: rotationKeys(STEPS, level),
      conjugation: level,
    })
  })
  afterAll(async () => {
    await stack[Symbol.asyncDispose]()
  })

  const runStep = async (pool: Pair[], s: Step): Promise<void> => {
    const side = (name: keyof Pair): Context => {
      const engine = name === 'native' ? stack.server : stack.clear
      return { engine, pick: (i) => pool[i % pool.length]![name], transform: transformFor(engine) }
    }
    // a product that was not rescaled leaves no bits for a constant at the default scale
    const { scale: given } = side('clear').pick(s.a)
    if (DEFAULT_SCALE.has(s.kind) && given > 2 ** (scaleBits + 8)) return
    // the compiled encoder takes coefficients of up to 99 bits
    if (/^(add|sub)Plain$/.test(s.kind) && given > 2 ** 94) return
    const clear = await attempt(() => operations[s.kind](side('clear'), s))
    const native = await attempt(() => operations[s.kind](side('native'), s))
    if (clear instanceof HeMlError || native instanceof HeMlError) {
      // values too large for the modulus: only the clear engine can see them
      if (clear instanceof HeMlError && /outgrow/.test(clear.message)) return
      // constants beyond 2^120: only the compiled engine has such a bound
      if (native instanceof HeMlError && /after scaling/.test(native.message)) return
      expect([s.kind, (native as HeMlError).code, (native as HeMlError).message]).toEqual([
        s.kind,
        (clear as HeMlError).code,
        (clear as HeMlError).message,
      ])
      return
    }
    seen.add(s.kind)
    for (const [i, result] of native.entries()) {
      const twin = clear[i]!
      const { level: l, scale, slots, degree } = result
      expect({ l, scale, slots, degree }).toEqual({
        l: twin.level,
        scale: twin.scale,
        slots: twin.slots,
        degree: twin.degree,
      })
      const slotsOf = await attempt(() => {
        const { re, im } = stack.clear.readClear(twin)
        if (re.some((v, k) => Math.hypot(v, im[k]!) > 3)) throw new HeMlError('TooLarge', '')
        // exactly zero is transparent, and refused on the way out
        if (re.every((v, k) => Math.hypot(v, im[k]!) < 2 ** -30)) throw new HeMlError('Zero', '')
        return []
      })
      // a scale far below nominal carries no precision to speak of
      if (!(slotsOf instanceof HeMlError) && scale > 2 ** (scaleBits - 4)) pool.push({ native: result, clear: twin })
      else result.dispose()
    }
  }

  it('agree with the clear engine', async () => {
    const property = fc.asyncProperty(
      fc.array(step, { minLength: 6, maxLength: 14 }),
      fc.nat(),
      async (steps, seed) => {
        const pool: Pair[] = [
          await stack.encrypt(randomValues(PERIOD, seed)),
          await stack.encrypt(randomValues(PERIOD, seed + 1), { im: randomValues(PERIOD, seed + 2) }),
          await stack.encrypt(randomValues(parameters.maxSlots, seed + 3)),
          await stack.encrypt(randomValues(PERIOD, seed + 4), { level: 3 }),
        ]
        for (const s of steps) await runStep(pool, s)
        await stack.server.drain()
        for (const pair of pool) {
          const got = await stack.precision(pair).catch((error: Error) => {
            // x - (x + 1) is a constant that anyone can read, and refused on the way out
            if (/c1 is zero/.test(error.message)) return 60
            throw error
          })
          expect(
            got,
            `${pool.indexOf(pair)}: level ${pair.native.level}, degree ${pair.native.degree}, scale 2^${Math.log2(pair.native.scale)}`,
          ).toBeGreaterThan(bits)
        }
        for (const { native } of pool) native.dispose()
      },
    )
    await fc.assert(property, { numRuns: logN === 10 ? 60 : 12, endOnFailure: true })
    for (const prepared of transforms.values()) (await prepared.catch(() => undefined))?.dispose()
    await stack.server.drain()
    const { ciphertexts, plaintexts } = stack.server.memory()
    expect(ciphertexts).toBeLessThan(2 ** 22 * 2 ** (logN - 10)) // what still waits for the garbage collector
    expect(plaintexts).toBeLessThan(2 ** 22 * 2 ** (logN - 10))
  })

  it('and every call succeeded at least once', () => {
    if (logN === 10) expect([...seen].sort()).toEqual(Object.keys(operations).sort())
  })
})
