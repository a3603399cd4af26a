import { describe, expect, it } from 'vitest'
import { InvalidArgumentError, PlanError, SecurityError } from '../errors/errors.ts'
import { insecureParameters } from '../parameters/create-parameters.ts'
import { BaseClientEngine } from './base-client-engine.ts'
import type { KeyFile, PrivateSlots } from './client-engine.ts'
import { secureNormals } from './normal-source.ts'
import { errorBound, floodingSigma, publicationSigma, publishSlots } from './publication.ts'
import { createKeyId, type SecretKey } from './secret-key.ts'

const slots = (values: readonly number[]): PrivateSlots => ({
  visibility: 'private',
  name: 'logits',
  re: Float64Array.from(values),
  im: new Float64Array(values.length),
  slots: values.length,
  level: 0,
  scale: 2 ** 40,
})
const options = { queries: 4, errorBound: 2 ** -50, count: 2, statisticalBits: 40 }

describe('flooding', () => {
  it('has the sigma of the formula, and its KL divergence is below 2^-statisticalBits', () => {
    const of = { errorBound: 2 ** -40, queries: 100, numbers: 10, statisticalBits: 40 }
    const sigma = floodingSigma(of)
    expect(sigma).toBeCloseTo(2 ** -40 * Math.sqrt(24_000) * 2 ** 20, 20)
    const divergence = (of.queries * of.numbers * of.errorBound ** 2) / (2 * sigma ** 2)
    expect(divergence).toBeLessThan(2 ** -40)
  })

  it('draws standard normals', () => {
    const x = secureNormals(100_001)
    const mean = x.reduce((a, b) => a + b, 0) / x.length
    const variance = x.reduce((a, b) => a + b * b, 0) / x.length
    const fourth = x.reduce((a, b) => a + b ** 4, 0) / x.length
    // six standard errors each
    expect(Math.abs(mean)).toBeLessThan(6 / Math.sqrt(x.length))
    expect(Math.abs(variance - 1)).toBeLessThan(6 * Math.sqrt(2 / x.length))
    expect(Math.abs(fourth - 3)).toBeLessThan(6 * Math.sqrt(96 / x.length))
  })

  it('publishes only what was asked for, with noise of sigma', () => {
    const count = 20_000
    const values = Array.from({ length: 32_768 }, (_, i) => i / 1000)
    const published = publishSlots(slots(values), { ...options, count })
    expect(published.re).toHaveLength(count)
    expect(published.im).toBeUndefined()
    expect(published.name).toBe('logits')
    const error = Math.sqrt(published.re.reduce((a, v, i) => a + (v - values[i]!) ** 2, 0) / count)
    expect(error / published.sigma).toBeGreaterThan(0.95)
    expect(error / published.sigma).toBeLessThan(1.05)
    expect(published.precisionBits).toBeCloseTo(-Math.log2(published.sigma), 10)
  })

  it('publishes the named slots in their order, with noise for their number alone', () => {
    const values = Array.from({ length: 1024 }, (_, i) => i)
    const quiet = { queries: 1, errorBound: 2 ** -60 }
    const positions = [1023, 0, 7, 512]
    const published = publishSlots(slots(values), { ...quiet, positions, complex: true })
    expect(Array.from(published.re, (v) => Math.round(v) + 0)).toEqual(positions)
    expect(Array.from(published.im!, (v) => Math.round(v) + 0)).toEqual([0, 0, 0, 0])
    expect(published.sigma).toBe(publicationSigma({ ...quiet, count: 4, complex: true }))
  })

  it('refuses positions outside the ciphertext, repeated, none, or beside a count', () => {
    const quiet = { queries: 1, errorBound: 2 ** -60 }
    for (const positions of [[2], [-1], [0.5], [0, 0], []])
      expect(() => publishSlots(slots([1, 2]), { ...quiet, positions }), `[${positions}]`).toThrow(InvalidArgumentError)
    expect(() => publishSlots(slots([1, 2]), { ...quiet, positions: [0], count: 1 })).toThrow(/either count/)
    expect(() => publishSlots(slots([1, 2]), quiet)).toThrow(/either count/)
  })

  it('needs more noise for imaginary parts', () => {
    const real = publishSlots(slots([1, 2]), options)
    const complex = publishSlots(slots([1, 2]), { ...options, complex: true })
    expect(complex.im).toHaveLength(2)
    expect(complex.sigma / real.sigma).toBeCloseTo(Math.SQRT2, 10)
  })

  it('refuses when too little is left, saying how many bits are missing', () => {
    expect(() => publishSlots(slots([1, 2]), { ...options, errorBound: 2 ** -20, precisionBits: 8 })).toThrow(PlanError)
    expect(() => publishSlots(slots([1, 2]), { ...options, errorBound: 2 ** -20, precisionBits: 8 })).toThrow(
      /raise the scale by 12 bits/,
    )
  })

  it('refuses arguments out of range', () => {
    for (const bad of [{ count: 3 }, { count: 0 }, { queries: 0 }, { errorBound: 0 }, { statisticalBits: 5 }])
      expect(() => publishSlots(slots([1, 2]), { ...options, ...bad }), JSON.stringify(bad)).toThrow(
        InvalidArgumentError,
      )
  })

  it('bounds an error by 8 standard deviations of a real part', () => {
    expect(errorBound(Math.SQRT2)).toBeCloseTo(8, 12)
  })
})

class FakeClient extends BaseClientEngine {
  readonly name = 'fake'
  decrypt = async () => [slots([1, 2]), slots([3, 4])]
  generateSecretKey = async () => fakeKey
  exportSecretKey = async () => new Uint8Array()
  importSecretKey = async () => fakeKey
  generatePublicKey = async () => new Uint8Array()
  async *generateEvaluationKeys(): AsyncIterable<KeyFile> {}
  encrypt = async () => new Uint8Array()
  async dispose() {}
}
const parameters = insecureParameters({ logN: 10, levels: 1, scaleBits: 30 })
const fakeKey: SecretKey = {
  parameters,
  keyId: createKeyId(),
  disposed: false,
  dispose() {},
  [Symbol.dispose]() {},
}

describe('the query budget', () => {
  it('counts every ciphertext and ends', async () => {
    const client = new FakeClient(parameters)
    expect(await client.decryptForPublication(fakeKey, new Uint8Array(), options)).toHaveLength(2)
    await client.decryptForPublication(fakeKey, new Uint8Array(), options)
    await expect(client.decryptForPublication(fakeKey, new Uint8Array(), options)).rejects.toThrow(SecurityError)
    await expect(client.decryptForPublication(fakeKey, new Uint8Array(), options)).rejects.toThrow(/4 of 4/)
  })
  it('names keys at random', () => {
    expect(createKeyId()).toMatch(/^[0-9a-f]{32}$/)
    expect(createKeyId()).not.toBe(createKeyId())
  })
})
