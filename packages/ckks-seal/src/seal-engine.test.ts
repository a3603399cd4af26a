import {
  type Ciphertext,
  chebyshevPolynomial,
  createMemoryCiphertextStore,
  diagonalsFromDense,
  evaluateChebyshev,
  FormatError,
  insecureParametersWithFiles,
  LevelError,
  MissingKeyError,
  prepareLinearTransform,
  UnsupportedError,
} from '@he-ml/ckks-core'
import { describe, expect, it } from 'vitest'
import { createSealEngine } from './seal-engine.ts'
import { createParty, precisionBits, testParameters, values } from './testing/party.ts'

const parameters = testParameters(12, 3)
const n = parameters.maxSlots
const x = { re: values(n, 1) }
const y = { re: values(n, 2) }
const z = { re: values(n, 3), im: values(n, 4) }

describe('against the clear engine, N = 2^12, scale 2^40', () => {
  it('products and relinearisation', async () => {
    const bits = await precisionBits(parameters, [x, y], (e, [a, b]) =>
      e.rescale(e.relinearize(e.mul(e.rescale(e.relinearize(e.mul(a!, b!))), e.rescale(e.relinearize(e.square(a!)))))),
    )
    expect(bits).toBeGreaterThan(20)
  })

  it('sums, differences, negation, mixed degrees', async () => {
    const bits = await precisionBits(parameters, [x, y], (e, [a, b]) => {
      const ab = e.mul(a!, b!)
      const bb = e.square(b!)
      return e.rescale(e.relinearize(e.negate(e.sub(e.sum([ab, bb, ab]), bb))))
    })
    expect(bits).toBeGreaterThan(22)
  })

  it('plaintexts, at the level and above', async () => {
    const bits = await precisionBits(parameters, [x], (e, [a]) => {
      const { level } = a!
      const low = e.rescale(e.mulPlain(a!, e.encode(y.re, { level, scale: e.parameters.groupProduct(level) })))
      const at = { level, scale: low.scale }
      return e.subPlain(e.addPlain(low, e.encode(y.re, at)), e.encode(z.re, at))
    })
    expect(bits).toBeGreaterThan(24)
  })

  it('constants: real, complex, integer', async () => {
    const bits = await precisionBits(parameters, [x, z], (e, [a, c]) => {
      const product = e.rescale(e.mulScalar(a!, { re: 0.3, im: -1.7 }))
      const integer = e.mulInteger(e.dropLevel(c!, product.level), -3)
      const other = e.rescale(
        e.mulScalar(
          integer,
          { re: 0, im: 0.5 },
          (e.parameters.groupProduct(integer.level) * product.scale) / integer.scale,
        ),
      )
      return e.addScalar(e.sub(e.dropLevel(product, other.level), e.mulInteger(other, 2)), { re: -0.25, im: 0.5 })
    })
    expect(bits).toBeGreaterThan(22)
  })

  it('complex values: product, conjugate, rotation', async () => {
    const bits = await precisionBits(parameters, [z, x], (e, [a, b]) =>
      e.rotate(e.conjugate(e.rescale(e.relinearize(e.mul(a!, e.add(a!, b!))))), -7),
    )
    expect(bits).toBeGreaterThan(21)
  })

  it('short periods repeat, and rotate within themselves', async () => {
    const short = { re: Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8) }
    const bits = await precisionBits(parameters, [short, x], (e, [a, b]) => e.add(e.rotate(a!, 9), e.rotate(b!, 1024)))
    expect(bits).toBeGreaterThan(22)
  })

  it('matrix product with scalar weights, zeros included', async () => {
    const weights = { rows: 2, columns: 2, data: Float64Array.of(0.5, 0, 0, 0) }
    const bits = await precisionBits(parameters, [x, y], (e, [a, b]) => {
      const [first, second] = e.matrixProduct([a!, b!], weights)
      return e.rescale(e.add(first!, second!))
    })
    expect(bits).toBeGreaterThan(24)
  })

  it('linear transform by diagonals', async () => {
    const slots = 16
    const matrix = { size: slots, re: values(slots * slots, 7) }
    const input = { re: values(slots, 8) }
    const diagonals = diagonalsFromDense({ rows: slots, columns: slots, ...matrix } as never, slots)
    const bits = await precisionBits(parameters, [input], async (e, [a]) => {
      const transform = await prepareLinearTransform(e, diagonals, { level: a!.level } as never)
      return e.rescale(e.linearTransform(a!, transform))
    })
    expect(bits).toBeGreaterThan(22)
    const other = { re: values(slots, 9) }
    const both = await precisionBits(parameters, [input, other], async (e, inputs) => {
      const transform = await prepareLinearTransform(e, diagonals, { level: inputs[0]!.level } as never)
      const [first, second] = e.linearTransforms(inputs, transform)
      return e.rescale(e.sub(first!, second!))
    })
    expect(both).toBeGreaterThan(21)
  })

  it('a Chebyshev polynomial of degree 7', async () => {
    const polynomial = chebyshevPolynomial([0.5, 0.6, 0, -0.15, 0, 0.05, 0, -0.02])
    const deep = testParameters(12, 5)
    const bits = await precisionBits(deep, [x], (e, [a]) => evaluateChebyshev(e, a!, polynomial as never))
    expect(bits).toBeGreaterThan(20)
  })

  it('N = 2^13 as well', async () => {
    const larger = testParameters(13, 2)
    const input = { re: values(4096, 5) }
    const bits = await precisionBits(larger, [input], (e, [a]) =>
      e.rotate(e.rescale(e.relinearize(e.square(a!))), 4095),
    )
    expect(bits).toBeGreaterThan(20)
  })
})

describe('the adapter', () => {
  it('runs on the version it was given', async () => {
    await using party = await createParty(parameters)
    expect(party.engine.version).toBe(process.env.HE_ML_NODE_SEAL ? 'node-seal 7' : 'node-seal 6')
  })
})

describe('mistakes', () => {
  it('parameters SEAL cannot use say what to choose', async () => {
    const groups = insecureParametersWithFiles({ logN: 12, levels: 2, scaleBits: 60 })
    await expect(createSealEngine(groups)).rejects.toThrow(/one prime per level.*sealParameters/)
    const digits = insecureParametersWithFiles({ logN: 12, levels: 3, scaleBits: 30, dnum: 2, specialPrimes: 2 })
    await expect(createSealEngine(digits)).rejects.toThrow(UnsupportedError)
  })

  it('missing keys, used-up levels, mulByI', async () => {
    await using party = await createParty(parameters)
    const file = await party.client.encrypt(party.secret, [{ values: x.re }])
    const a = await party.engine.importCiphertext(file)
    expect(() => party.engine.rotate(a, 3)).toThrow(MissingKeyError)
    expect(() => party.engine.relinearize(party.engine.square(a))).toThrow(MissingKeyError)
    expect(() => party.engine.rescale(party.engine.dropLevel(a, 0))).toThrow(LevelError)
    expect(() => party.engine.mulByI(a)).toThrow(/mulScalar/)
    expect(() => party.engine.encode(Float64Array.of(2 ** 60), { level: 0, scale: 2 ** 30 })).toThrow(/slot 0/)
  })
})

describe('lanes, files of several, and putting away', () => {
  it('work as on every engine', async () => {
    await using party = await createParty(parameters)
    const { engine, client, secret } = party
    const file = await client.encrypt(secret, [{ values: x.re }, { values: y.re }])
    const slots = x.re.length
    await using lane = engine.openLane()
    const { ciphertexts, names } = await lane.importCiphertexts(file, { slots })
    expect(ciphertexts.map((c) => c.slots)).toEqual([slots, slots])
    expect(names).toEqual({})
    const sum = lane.add(ciphertexts[0]!, ciphertexts[1]!)
    const [, second] = await client.decrypt(secret, await lane.exportCiphertexts([ciphertexts[0]!, sum]))
    for (let i = 0; i < slots; i++) expect(Math.abs(second!.re[i]! - x.re[i]! - y.re[i]!)).toBeLessThan(1e-6)
    await using store = createMemoryCiphertextStore(engine)
    const before = await engine.exportCiphertext(sum)
    const spilled = await store.spill([sum])
    const bytes = engine.memory().ciphertexts
    sum.dispose()
    expect(engine.memory().ciphertexts).toBeLessThan(bytes)
    const [back] = await store.restore(spilled)
    expect(back!.slots).toBe(slots)
    expect(await engine.exportCiphertext(back!)).toEqual(before)
    const held = engine.memory().ciphertexts
    await expect(engine.importCiphertexts(file.subarray(0, -1))).rejects.toThrow(FormatError)
    expect(engine.memory().ciphertexts).toBe(held)
  })
})

describe('memory', () => {
  it('goes back to zero when handles are disposed of', async () => {
    await using party = await createParty(parameters, (e, [a]) => e.rotate(e.relinearize(e.square(a!)), 1))
    const { engine, client, secret } = party
    const keys = engine.memory().keys
    expect(keys).toBeGreaterThan(0)
    const a = await engine.importCiphertext(await client.encrypt(secret, [{ values: x.re }]))
    const steps: Ciphertext[] = [a]
    for (let i = 0; i < 20; i++) {
      const product = engine.square(a)
      const linear = engine.relinearize(product)
      product.dispose()
      linear.dispose()
      linear.dispose()
    }
    const p = engine.encode(y.re, { level: 3, scale: 2 ** 40 })
    expect(engine.memory()).toMatchObject({ ciphertexts: 2 * 4 * 4096 * 8, plaintexts: 4 * 4096 * 8, keys })
    for (const step of steps) step.dispose()
    p.dispose()
    expect(engine.memory().total).toBe(keys)
    expect(engine.progress()).toEqual({ queued: 0, done: 40 })
  })
})
