import {
  CancelledError,
  createParameters,
  DisposedError,
  encodeContainer,
  FormatError,
  InvalidArgumentError,
  insecureParameters,
  insecureParametersWithFiles,
  LevelError,
  ParameterMismatchError,
  Parameters,
  type PlanContract,
  PlanError,
  parseContainer,
  publicationBound,
  SecurityError,
} from '@he-ml/ckks-core'
import { memoryLedger, type SecretKey, startMemoryLedger } from '@he-ml/ckks-core/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CiphertextSegment, encodeCiphertexts, exportSegment, importCiphertexts } from '../ciphertext-files.ts'
import { assertKeySecure, loadEvaluationKey, loadEvaluationKeys } from '../keys/load-keys.ts'
import { precisionBits, randomValues, rotationKeys } from '../native.test-helper.ts'
import { createNativeEngine } from '../native-engine.ts'
import { createNativeClient, type NativeClient } from './native-client.ts'

const parameters = createParameters({ logN: 13, levels: 3, scaleBits: 32 })
let client: NativeClient
let key: SecretKey
beforeAll(async () => {
  client = createNativeClient(parameters)
  key = await client.generateSecretKey()
})
afterAll(() => client.dispose())

const values = { re: randomValues(4096, 1), im: randomValues(4096, 2) }

describe('encryption', () => {
  it.each([0, 1, 3])('under the secret and the public key comes back, at level %d', async (level) => {
    const publicKey = await client.generatePublicKey(key)
    const secretly = await client.encrypt(key, [{ values, name: 'x' }, { values: randomValues(8, 3) }], { level })
    const publicly = await client.encrypt(publicKey, [{ values }], { level })
    expect(publicly.length).toBeGreaterThan(0)
    const [x, y] = await client.decrypt(key, secretly)
    const [z] = await client.decrypt(key, publicly)
    expect(x).toMatchObject({ visibility: 'private', name: 'x', level, slots: 4096, scale: parameters.scaleAt(level) })
    expect(precisionBits(x!, values)).toBeGreaterThan(16)
    expect(precisionBits(z!, values)).toBeGreaterThan(11)
    expect(y!.re).toHaveLength(8)
    expect(precisionBits(y!, { re: randomValues(8, 3), im: new Float64Array(8) })).toBeGreaterThan(16)
  })
  it('never gives the same bytes twice', async () => {
    const file = () => client.encrypt(key, [{ values }])
    expect(Buffer.compare(await file(), await file())).not.toBe(0)
  })
  it('refuses bad values, levels and keys', async () => {
    const nan = Float64Array.of(1, Number.NaN)
    await expect(client.encrypt(key, [{ values: nan }])).rejects.toThrow(InvalidArgumentError)
    await expect(client.encrypt(key, [{ values: Float64Array.of(2 ** 100) }])).rejects.toThrow(InvalidArgumentError)
    await expect(client.encrypt(key, [{ values: new Float64Array(3) }])).rejects.toThrow(InvalidArgumentError)
    await expect(client.encrypt(key, [{ values }], { level: 4 })).rejects.toThrow(LevelError)
    await expect(client.encrypt(new Uint8Array(10), [{ values }])).rejects.toThrow(FormatError)
  })
  it('carries the keyId and the plan', async () => {
    const plan = '00'.repeat(32)
    const file = await client.encrypt(key, [{ values }], { plan, labels: { model: 'm' } })
    expect(parseContainer(file, { parameters }).header).toMatchObject({
      keyId: key.keyId,
      plan,
      labels: { model: 'm' },
    })
  })
})

describe('publication', () => {
  const contract: PlanContract = {
    plan: 'ab'.repeat(32),
    parameters: parameters.id,
    input: { level: 3, scale: parameters.scaleAt(3), slots: 4, ciphertexts: 1, range: { min: -4, max: 4 } },
    output: { level: 2, scale: parameters.scaleAt(2), slots: 4, ciphertexts: 1 },
    errorBound: publicationBound(2 ** -19),
  }
  const wanted = Float64Array.of(1, 2, 3, 4)
  const options = { queries: 2, count: 2, statisticalBits: 10, precisionBits: -10 }

  /** What a server sends back: the input times one. `change` is what a hostile one does to the header. */
  async function result(input: Uint8Array, change: Partial<CiphertextSegment['object']> = {}): Promise<Uint8Array> {
    await using server = createNativeEngine(parameters)
    const { ciphertexts, names } = await importCiphertexts(server, input)
    const { object, segment } = await exportSegment(server, server.rescale(server.mulScalar(ciphertexts[0]!, 1)))
    return encodeCiphertexts(parameters, [{ object: { ...object, ...change }, segment }], names)
  }

  it('adds noise, and ends with the declared queries, whoever asks and however often the key is imported', async () => {
    const own = await client.generateSecretKey()
    const ledger = startMemoryLedger({ keyId: own.keyId, contract, used: 0 })
    const input = await client.encrypt(own, [{ values: wanted }], { ledger })
    await using server = createNativeEngine(parameters)
    const { ciphertexts, names } = await importCiphertexts(server, input)
    const segment = await exportSegment(server, server.rescale(server.mulScalar(ciphertexts[0]!, 1)))
    const answer = encodeCiphertexts(parameters, [segment], names)
    const [published] = await client.decryptForPublication(own, answer, { ...options, ledger })
    expect(published!.visibility).toBe('published')
    expect(published!.re).toHaveLength(2)
    // 12 standard deviations: by chance with probability below 1e-32
    expect(Math.abs(published!.re[1]! - 2)).toBeLessThan(12 * published!.sigma)
    const again = await client.importSecretKey(await client.exportSecretKey(own))
    await client.decryptForPublication(again, answer, { ...options, ledger: memoryLedger(own.keyId) })
    for (const k of [own, again])
      await expect(client.decryptForPublication(k, answer, { ...options, ledger })).rejects.toThrow(SecurityError)
    await expect(client.decryptForPublication(own, answer, { ...options, ledger, queries: 100 })).rejects.toThrow(
      /what was declared stays/,
    )
  })
  it('refuses a result whose header a server changed, and counts nothing', async () => {
    const ledger = startMemoryLedger({ keyId: key.keyId, contract, used: 0 })
    const input = await client.encrypt(key, [{ values: wanted }], { ledger })
    const { scale } = contract.output
    for (const change of [{ scale: scale / 2 ** 20 }, { scale: scale * 2 ** 10 }, { slots: 4096 }, { slots: 2 }]) {
      const answer = await result(input, change)
      await expect(client.decryptForPublication(key, answer, { ...options, ledger })).rejects.toThrow(
        ParameterMismatchError,
      )
      await expect(client.decrypt(key, answer, { contract })).rejects.toThrow(/nothing of it was decrypted/)
    }
    await expect(client.decryptForPublication(key, input, { ...options, ledger })).rejects.toThrow(/level: expected 2/)
    const unnamed = await result(await client.encrypt(key, [{ values: wanted }], { contract }))
    await expect(client.decryptForPublication(key, unnamed, { ...options, ledger })).rejects.toThrow(/does not know/)
    expect((await ledger.read()).used).toBe(0)
    await expect(
      client.decryptForPublication(key, await result(input), { ...options, ledger, precisionBits: 30 }),
    ).rejects.toThrow(PlanError)
    await client.decryptForPublication(key, await result(input), { ...options, ledger })
    expect((await ledger.read()).used).toBe(1)
  })
})

describe('secret keys', () => {
  it('leave and come back through their file, and keep their name', async () => {
    const file = await client.exportSecretKey(key)
    const again = await client.importSecretKey(file)
    expect(again.keyId).toBe(key.keyId)
    const [x] = await client.decrypt(again, await client.encrypt(key, [{ values }]))
    expect(precisionBits(x!, values)).toBeGreaterThan(16)
    expect(Buffer.compare(await client.exportSecretKey(again), file)).toBe(0)
  })
  it('refuse another key, another client, other parameters and use after dispose', async () => {
    const file = await client.encrypt(key, [{ values }])
    const wrong = await client.generateSecretKey()
    await expect(client.decrypt(wrong, file)).rejects.toThrow(ParameterMismatchError)
    const other = createNativeClient(parameters)
    await expect(other.decrypt(key, file)).rejects.toThrow(/another client/)
    const strange = createNativeClient(insecureParametersWithFiles({ logN: 10, levels: 1, scaleBits: 30 }))
    await expect(strange.decrypt(key, file)).rejects.toThrow(ParameterMismatchError)
    await expect(strange.importSecretKey(await client.exportSecretKey(key))).rejects.toThrow(ParameterMismatchError)
    wrong.dispose()
    await expect(client.exportSecretKey(wrong)).rejects.toThrow(DisposedError)
    await expect(client.encrypt(wrong, [{ values }])).rejects.toThrow(DisposedError)
    await other.dispose()
    await strange.dispose()
  })
})

describe('evaluation keys', () => {
  it('are made one at a time, with progress and cancellation', async () => {
    const request = { relinearization: 3, rotations: rotationKeys([1, 5], 2), conjugation: 1 }
    const names: string[] = []
    const progress: number[] = []
    const options = { onProgress: (done: number) => progress.push(done) }
    for await (const file of client.generateEvaluationKeys(key, request, options)) names.push(file.name)
    expect(names).toEqual(['relinearization.key', 'galois-5.key', `galois-${5 ** 5}.key`, 'galois-16383.key'])
    expect(progress).toEqual([1, 2, 3, 4])
    const controller = new AbortController()
    const cancelled = (async () => {
      for await (const _ of client.generateEvaluationKeys(key, request, { signal: controller.signal }))
        controller.abort()
    })()
    await expect(cancelled).rejects.toThrow(CancelledError)
  })
  it('made for a level serve it and those below', async () => {
    const server = createNativeEngine(parameters)
    const keys = client.generateEvaluationKeys(key, { rotations: rotationKeys([1], 2) })
    for await (const { bytes } of keys) await loadEvaluationKey(server, bytes)
    expect(server.loadedKeys).toEqual({ rotations: [{ steps: 1, level: 2 }] })
    const x = await server.importCiphertext(await client.encrypt(key, [{ values: Float64Array.of(1, 2, 3, 4) }]))
    expect(() => server.rotate(x, 1)).toThrow(/level >= 3/)
    for (const level of [2, 1, 0]) {
      const file = await server.exportCiphertext(server.rotate(server.dropLevel(x, level), 1))
      expect(parseContainer(file, { parameters }).header.keyId).toBe(key.keyId)
      const [turned] = await client.decrypt(key, file)
      expect(precisionBits(turned!, { re: Float64Array.of(2, 3, 4, 1), im: new Float64Array(4) })).toBeGreaterThan(10)
    }
    await server.dispose()
  })
  it('of two secret keys do not mix, nor do ciphertexts of another', async () => {
    const server = createNativeEngine(parameters)
    const other = await client.generateSecretKey()
    const files = async (of: SecretKey) => {
      const list: Uint8Array[] = []
      for await (const { bytes } of client.generateEvaluationKeys(of, { rotations: rotationKeys([1], 0) }))
        list.push(bytes)
      return list
    }
    await loadEvaluationKeys(server, await files(key))
    await expect(loadEvaluationKeys(server, await files(other))).rejects.toThrow(ParameterMismatchError)
    const foreign = await client.encrypt(other, [{ values }])
    await expect(importCiphertexts(server, foreign)).rejects.toThrow(ParameterMismatchError)
    server.unloadKeys()
    expect(server.loadedKeys).toEqual({ rotations: [] })
    await loadEvaluationKeys(server, await files(other))
    await importCiphertexts(server, foreign)
    await server.dispose()
  })
  it('are never a secret key, a public key or a ciphertext', async () => {
    const server = createNativeEngine(parameters)
    const before = server.memory().keys
    for (const file of [
      await client.exportSecretKey(key),
      await client.generatePublicKey(key),
      await client.encrypt(key, [{ values }]),
    ])
      await expect(loadEvaluationKey(server, file)).rejects.toThrow(FormatError)
    expect(server.memory().keys).toBe(before)
    expect(server.loadedKeys).toEqual({ rotations: [] })
    const controller = new AbortController()
    controller.abort()
    await expect(loadEvaluationKeys(server, [new Uint8Array()], { signal: controller.signal })).rejects.toThrow(
      CancelledError,
    )
    await server.dispose()
  })
})

describe('security', () => {
  it('oversized parameters never become an engine', () => {
    const literal = insecureParametersWithFiles({ logN: 12, levels: 8, scaleBits: 40 }).toJSON()
    expect(() => new Parameters(literal)).toThrow(SecurityError)
    expect(() => createParameters({ logN: 13, levels: 6, scaleBits: 40 })).toThrow(/smallest logN that would do is 14/)
  })
  it('insecure parameters without the entry for files make no client and load no key', async () => {
    const named = insecureParametersWithFiles({ logN: 10, levels: 1, scaleBits: 30 })
    const plain = insecureParameters(named.toJSON())
    expect(plain.id).toBe(named.id)
    expect(() => createNativeClient(plain)).toThrow(SecurityError)
    expect(() => assertKeySecure(plain, 1, 'a key')).toThrow(SecurityError)
    const insecure = createNativeClient(named)
    const secret = await insecure.generateSecretKey()
    const engine = createNativeEngine(plain)
    for await (const { bytes } of insecure.generateEvaluationKeys(secret, { relinearization: 1, rotations: [] }))
      await expect(loadEvaluationKey(engine, bytes)).rejects.toThrow(SecurityError)
    const file = await insecure.encrypt(secret, [{ values: Float64Array.of(1) }])
    await expect(engine.importCiphertext(file)).rejects.toThrow(SecurityError)
    await expect(client.importSecretKey(await insecure.exportSecretKey(secret))).rejects.toThrow(ParameterMismatchError)
    await engine.dispose()
    await insecure.dispose()
  })
  it('a secret that is sparse, full or empty is not imported', async () => {
    const { header, segments } = parseContainer(await client.exportSecretKey(key), { kind: 'secretKey' })
    const { segments: _, insecure, ...rest } = header
    for (const fill of [
      (s: Uint8Array) => s.fill(0),
      (s: Uint8Array) => s.fill(0).fill(1, 0, 192),
      (s: Uint8Array) => s.fill(0b01_10_01_10),
    ]) {
      const file = encodeContainer(rest, [fill(segments[0]!.slice())], parameters)
      await expect(client.importSecretKey(file)).rejects.toThrow(FormatError)
      await expect(client.importSecretKey(file)).rejects.toThrow(/no uniform ternary secret/)
    }
  })
  it('a wish for keys that makes no sense makes none', async () => {
    const request = { relinearization: 3, rotations: rotationKeys([1], 9) }
    const keys = client.generateEvaluationKeys(key, request)[Symbol.asyncIterator]()
    await expect(keys.next()).rejects.toThrow(LevelError)
  })
  it("checks every key's own modulus again", () => {
    expect(() => assertKeySecure(parameters, parameters.maxLevel, 'a key')).not.toThrow()
    const oversized = insecureParametersWithFiles({ logN: 12, levels: 8, scaleBits: 40 })
    const claimed = Object.create(oversized, { security: { value: 128 } })
    for (const name of ['logQAt'] as const) claimed[name] = oversized[name].bind(oversized)
    expect(() => assertKeySecure(claimed, 8, 'a key')).toThrow(SecurityError)
  })
})
