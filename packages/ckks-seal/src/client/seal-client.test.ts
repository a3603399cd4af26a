import {
  type AnyParameters,
  FormatError,
  insecureParameters,
  ParameterMismatchError,
  SecurityError,
  UnsupportedError,
} from '@he-ml/ckks-core'
import { type PrivateSlots, startMemoryLedger } from '@he-ml/ckks-core/client'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { minimalRoot } from '../exact-plaintexts.ts'
import { createParty, type Party, testParameters, values } from '../testing/party.ts'
import { createSealClient } from './seal-client.ts'

const parameters: AnyParameters = testParameters(12, 2)
const x = values(2048, 1)
let party: Party
beforeAll(async () => {
  party = await createParty(parameters)
})
afterAll(() => party[Symbol.asyncDispose]())

/** The polynomial at SEAL's exponents 2 bitrev(j) + 1, by a forward transform of its own. */
function evaluations(coefficients: readonly number[], p: bigint): BigUint64Array {
  const n = coefficients.length
  const bits = Math.log2(n)
  const reverse = (x: number) => Number.parseInt(x.toString(2).padStart(bits, '0').split('').reverse().join(''), 2)
  const root = minimalRoot(2 * n, p)
  const powers: bigint[] = [1n]
  for (let i = 1; i < n; i++) powers.push((powers[i - 1]! * root) % p)
  const a = BigUint64Array.from(coefficients, (c) => (c < 0 ? p - 1n : BigInt(c)))
  for (let m = 1, t = n / 2; m < n; m *= 2, t /= 2)
    for (let i = 0; i < m; i++)
      for (let j = 2 * i * t; j < (2 * i + 1) * t; j++) {
        const v = (a[j + t]! * powers[reverse(m + i)]!) % p
        a[j + t] = (a[j]! + p - v) % p
        a[j] = (a[j]! + v) % p
      }
  return a
}

const worst = (a: Float64Array, b: Float64Array) => Math.max(...a.map((v, i) => Math.abs(v - b[i % b.length]!)))

describe('the seal client', () => {
  it('encrypts with secret and public keys, several vectors in a file, at any level', async () => {
    const { client, secret } = party
    const publicKey = await client.generatePublicKey(secret)
    for (const key of [secret, publicKey]) {
      for (const level of [2, 0]) {
        const inputs = [{ values: x }, { values: { re: x.slice(0, 4), im: x.slice(4, 8) } }]
        const file = await client.encrypt(key, inputs, { level })
        const [first, second] = await client.decrypt(secret, file)
        expect(first).toMatchObject({ visibility: 'private', level, scale: parameters.scaleAt(level), slots: 2048 })
        expect(-Math.log2(worst(first!.re, x))).toBeGreaterThan(22)
        expect(-Math.log2(worst(second!.im, x.slice(4, 8)))).toBeGreaterThan(22)
      }
    }
    const symmetric = await client.encrypt(secret, [{ values: x }])
    const asymmetric = await client.encrypt(publicKey, [{ values: x }])
    expect(symmetric.length / asymmetric.length).toBeLessThan(0.52)
  })

  it('exports and imports the secret key; another key decrypts to noise', async () => {
    const { client, secret } = party
    const file = await client.encrypt(secret, [{ values: x }])
    using back = await client.importSecretKey(await client.exportSecretKey(secret))
    expect(worst((await client.decrypt(back, file))[0]!.re, x)).toBeLessThan(2 ** -22)
    using other = await client.generateSecretKey()
    expect(worst((await client.decrypt(other, file))[0]!.re, x)).toBeGreaterThan(1)
    expect(JSON.stringify(secret)).not.toMatch(/object/)
  })

  it('names a key by a hash of it, the same after every import', async () => {
    const { client, secret } = party
    const file = await client.exportSecretKey(secret)
    using one = await client.importSecretKey(file)
    using two = await client.importSecretKey(file)
    using other = await client.generateSecretKey()
    expect(secret.keyId).toMatch(/^[0-9a-f]{32}$/)
    expect([one.keyId, two.keyId]).toEqual([secret.keyId, secret.keyId])
    expect(other.keyId).not.toBe(secret.keyId)
    expect(Buffer.from(file).toString('hex')).not.toContain(secret.keyId)
  })

  it.each([
    ['sparse', 32, /got 32: no uniform ternary secret/],
    ['full', 4096, /got 4096/],
    ['empty but for one', 1, /got 1:/],
  ])('refuses a secret that is %s', async (_, weight, says) => {
    const { client, secret } = party
    const file = await client.exportSecretKey(secret)
    const { ringDegree, qLimbs, p } = parameters
    const view = new DataView(file.buffer, file.length - (qLimbs.length + p.length) * ringDegree * 8)
    // the evaluations of s = sum of +-X^i, by Horner at each exponent: exact, and the definition itself
    const secretOf = Array.from({ length: ringDegree }, (_, i) => (i < weight ? (i % 2 ? -1 : 1) : 0))
    for (const [limb, prime] of [...qLimbs, ...p].entries()) {
      const values = limb === 0 ? evaluations(secretOf, BigInt(prime)) : new BigUint64Array(ringDegree).fill(1n)
      for (const [i, v] of values.entries()) view.setBigUint64(8 * (limb * ringDegree + i), v, true)
    }
    await expect(client.importSecretKey(file)).rejects.toThrow(FormatError)
    await expect(client.importSecretKey(file)).rejects.toThrow(says)
  })

  it('refuses a secret that is not ternary', async () => {
    const { client, secret } = party
    const file = await client.exportSecretKey(secret)
    const { ringDegree, qLimbs, p } = parameters
    const view = new DataView(file.buffer, file.length - (qLimbs.length + p.length) * ringDegree * 8)
    for (let i = 0; i < ringDegree; i++) view.setBigUint64(8 * i, 2n, true)
    await expect(client.importSecretKey(file)).rejects.toThrow(/not -1, 0 or 1/)
  })

  it('needs secure parameters, or ones whose name says insecure', async () => {
    const plain = insecureParameters(parameters.toJSON())
    await expect(createSealClient(plain)).rejects.toThrow(SecurityError)
  })

  it('refuses disposed keys', async () => {
    const { client } = party
    const gone = await client.generateSecretKey()
    gone.dispose()
    await expect(client.encrypt(gone, [{ values: x }])).rejects.toThrow(/disposed/)
  })

  it('makes keys one at a time, more of them than the heap would hold at once', async () => {
    const { client } = party
    const rotations = Array.from({ length: 3 * 2047 }, (_, i) => ({ steps: 1 + (i % 2047), level: 2 }))
    const keys = client.generateEvaluationKeys(party.secret, { rotations })
    const { value } = await keys[Symbol.asyncIterator]().next()
    expect(value).toMatchObject({ kind: 'galoisKey', galoisElement: 3 })
  })

  it('publishes nothing, whatever ledger is given, and says why', async () => {
    const { client, secret } = party
    const end = { level: 2, scale: parameters.scaleAt(2), slots: 2048, ciphertexts: 1 }
    const input = { ...end, range: { min: -1, max: 1 } }
    const contract = { plan: 'ab'.repeat(32), parameters: parameters.id, input, output: end, errorBound: 2 ** -20 }
    const ledger = startMemoryLedger({ keyId: secret.keyId, contract, used: 0 })
    const file = await client.encrypt(secret, [{ values: x }], { ledger })
    const options = { ledger, queries: 1, count: 4, statisticalBits: 20 }
    await expect(client.decryptForPublication(secret, file, options)).rejects.toThrow(UnsupportedError)
    await expect(client.decryptForPublication(secret, file, options)).rejects.toThrow(/depends on the key/)
    expect((await ledger.read()).used).toBe(0)
  })

  it('adds errors in rotations that depend on the key and do not average out: why it publishes nothing', async () => {
    const steps = [1, 2, 3, 4]
    await using rotating = await createParty(parameters, (engine, [c]) => engine.sum(engine.rotateHoisted(c!, steps)))
    const { client, engine, secret } = rotating
    const count = 12
    const means = steps.map(() => ({ re: 0, im: 0 }))
    let squares = 0
    for (let i = 0; i < count; i++) {
      const input = await engine.importCiphertext(await client.encrypt(secret, [{ values: new Float64Array(2048) }]))
      for (const [r, step] of steps.entries()) {
        const [{ re, im }] = (await client.decrypt(
          secret,
          await engine.exportCiphertext(engine.rotate(input, step)),
        )) as [PrivateSlots]
        means[r]!.re += re[0]! / count
        means[r]!.im += im[0]! / count
        squares += re.reduce((sum, x, s) => sum + x ** 2 + im[s]! ** 2, 0) / (2048 * count * steps.length)
      }
    }
    // means of slot 0 over the root mean square of all: 0.3 if they averaged out; here about 25, and below 1 in four keys at once
    // with probability (4 / 25^2)^4 / 4!, less than 1e-10
    const constant = Math.sqrt(means.reduce((sum, m) => sum + m.re ** 2 + m.im ** 2, 0) / steps.length / squares)
    expect(constant).toBeGreaterThan(1)
  })

  it('holds results to the level, scale and number of a plan, which is all its files say', async () => {
    const { client, secret } = party
    const end = { level: 2, scale: parameters.scaleAt(2), slots: 2048, ciphertexts: 1 }
    const contract = { plan: 'ab'.repeat(32), parameters: parameters.id, input: end, output: end, errorBound: 1 }
    const file = await client.encrypt(secret, [{ values: x }], { contract })
    const [same] = await client.decrypt(secret, file, { contract })
    expect(worst(same!.re, x)).toBeLessThan(2 ** -22)
    for (const change of [{ level: 1 }, { scale: 2 ** 20 * end.scale }, { ciphertexts: 2 }])
      await expect(
        client.decrypt(secret, file, { contract: { ...contract, output: { ...end, ...change } } }),
      ).rejects.toThrow(ParameterMismatchError)
  })

  it('reports progress and stops at the signal', async () => {
    const { client, secret } = party
    const request = { relinearization: 2, rotations: [{ steps: 5, level: 2 }], conjugation: 2 }
    const seen: number[] = []
    const names: string[] = []
    const onProgress = (done: number, total: number) => seen.push(done / total)
    for await (const key of client.generateEvaluationKeys(secret, request, { onProgress })) names.push(key.name)
    expect(names).toEqual(['relinearization.key', 'galois-243.key', 'galois-8191.key'])
    expect(seen).toEqual([1 / 3, 2 / 3, 1])
    const stopped = client.generateEvaluationKeys(secret, request, { signal: AbortSignal.abort() })
    await expect(stopped[Symbol.asyncIterator]().next()).rejects.toThrow(/cancelled/)
  })
})

describe('foreign bytes', () => {
  it('of other parameters are refused', async () => {
    await using other = await createParty(testParameters(12, 2, 39))
    const file = await other.client.encrypt(other.secret, [{ values: x }])
    await expect(party.engine.importCiphertext(file)).rejects.toThrow(FormatError)
    await expect(party.client.importSecretKey(await other.client.exportSecretKey(other.secret))).rejects.toThrow(
      FormatError,
    )
  })

  it('cut, changed or random end in typed errors', async () => {
    const { client, engine, secret } = party
    const file = await client.encrypt(secret, [{ values: x }])
    for (let length = 0; length < file.length; length += length < 200 ? 1 : 3001)
      await expect(engine.importCiphertext(file.subarray(0, length)), `${length}`).rejects.toThrow(FormatError)
    await fc.assert(
      fc.asyncProperty(fc.nat(400), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const changed = file.slice()
        changed[at]! ^= flip
        try {
          const ciphertext = await engine.importCiphertext(changed)
          expect(ciphertext.level).toBeLessThanOrEqual(2)
          ciphertext.dispose()
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError)
          expect((error as Error).message).not.toMatch(/: SEAL:/)
        }
      }),
      { numRuns: 1000 },
    )
    const load = fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(() => engine.loadGaloisKeys(bytes)).toThrow(FormatError)
      expect(() => engine.loadRelinearizationKey(bytes)).toThrow(FormatError)
    })
    fc.assert(load, { numRuns: 200 })
    // SEAL is still alive: none of these bytes reached it
    const [back] = await client.decrypt(secret, file)
    expect(worst(back!.re, x)).toBeLessThan(2 ** -22)
  })

  it('in keys end in our own errors, never in one from inside SEAL', async () => {
    const { client, engine, secret } = party
    const request = { relinearization: 2, rotations: [{ steps: 1, level: 2 }] }
    const files: Uint8Array[] = []
    for await (const key of client.generateEvaluationKeys(secret, request)) files.push(key.bytes)
    const publicKey = await client.generatePublicKey(secret)
    const secretKey = await client.exportSecretKey(secret)
    const loaders: [Uint8Array, (bytes: Uint8Array) => unknown][] = [
      [files[0]!, async (b) => engine.loadRelinearizationKey(b)],
      [files[1]!, async (b) => engine.loadGaloisKeys(b)],
      [publicKey, (b) => client.encrypt(b, [{ values: x }])],
      [secretKey, async (b) => (await client.importSecretKey(b)).dispose()],
    ]
    for (const [good, load] of loaders) {
      await load(good)
      for (let at = 0; at < 300; at++) {
        const bad = good.slice()
        bad[at < 150 ? at : Math.floor((good.length * (at - 150)) / 150)]! ^= 1 << (at % 8)
        try {
          await load(bad)
        } catch (error) {
          expect(error, `byte ${at}`).toBeInstanceOf(FormatError)
          expect((error as Error).message).not.toMatch(/: SEAL:/)
        }
      }
    }
  })
})
