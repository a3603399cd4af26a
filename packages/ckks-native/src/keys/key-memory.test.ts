/** Keys that come and go: residency is memory of the engine, and what is resident works. */
import {
  FormatError,
  insecureParametersWithFiles,
  type KeyNeed,
  keyBytes,
  MissingKeyError,
  ParameterMismatchError,
} from '@he-ml/ckks-core'
import type { SecretKey } from '@he-ml/ckks-core/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createNativeClient, type NativeClient } from '../client/native-client.ts'
import { precisionBits, randomValues, rotationKeys } from '../native.test-helper.ts'
import { createNativeEngine } from '../native-engine.ts'
import { openKeyMemory } from './key-memory.ts'

const parameters = insecureParametersWithFiles({ logN: 12, levels: 3, scaleBits: 40 })
const request = { relinearization: 3, rotations: rotationKeys([1, 2, 4], 3), conjugation: 2, encapsulation: 2 }
const turn = (steps: number): KeyNeed => ({ kind: 'rotation', steps, level: 3 })
const ONE = keyBytes(parameters, turn(1))

let client: NativeClient
let secret: SecretKey
const files: Uint8Array[] = []
beforeAll(async () => {
  client = createNativeClient(parameters)
  secret = await client.generateSecretKey()
  for await (const { bytes } of client.generateEvaluationKeys(secret, request, { plan: 'ab'.repeat(32) }))
    files.push(bytes)
})
afterAll(async () => {
  await client.dispose()
})

describe('keys in memory', () => {
  it('are expanded when leased, and given back when others need their room', async () => {
    await using engine = createNativeEngine(parameters)
    await using keys = await openKeyMemory(engine, files, { budget: 2 * ONE })
    expect(keys.available).toEqual(request)
    expect(keys.keyId).toBe(secret.keyId)
    expect(engine.memory().keys).toBe(0)
    const values = randomValues(64, 3)
    let x = await engine.importCiphertext(await client.encrypt(secret, [{ values }]))
    for (const steps of [1, 2, 4, 1, 4, 2]) {
      using lease = await keys.acquire([turn(steps)])
      expect(lease.bytes).toBe(ONE)
      x = engine.rotate(x, steps)
      await x.ready()
      expect(engine.memory().keys).toBeLessThanOrEqual(2 * ONE)
    }
    const [got] = await client.decrypt(secret, await engine.exportCiphertext(x))
    const want = { re: values.map((_, i) => values[(i + 14) % 64]!), im: new Float64Array(64) }
    expect(precisionBits(got!, want)).toBeGreaterThan(24)
    expect(engine.loadedKeys).toEqual(keys.resident)
    expect(keys.evict(0)).toBe(2 * ONE)
    expect(engine.memory().keys).toBe(0)
    expect(() => engine.rotate(x, 1)).toThrow(MissingKeyError)
  })

  it('stay with operations that were queued with them', async () => {
    await using engine = createNativeEngine(parameters)
    await using keys = await openKeyMemory(engine, files)
    const values = randomValues(64, 4)
    let x = await engine.importCiphertext(await client.encrypt(secret, [{ values }]))
    const lease = await keys.acquire([turn(1)])
    for (let i = 0; i < 200; i++) x = engine.rotate(x, 1)
    lease.dispose()
    expect(keys.evict(0)).toBe(ONE)
    expect(engine.hasKey(turn(1))).toBe(false)
    await x.ready()
    await engine.drain()
    expect(engine.memory().keys).toBe(0)
    const [got] = await client.decrypt(secret, await engine.exportCiphertext(x))
    const want = { re: values.map((_, i) => values[(i + 200) % 64]!), im: new Float64Array(64) }
    expect(precisionBits(got!, want)).toBeGreaterThan(20)
  })

  it('of every kind serve their operations, and their name outlives them', async () => {
    await using engine = createNativeEngine(parameters)
    const keys = await openKeyMemory(engine, files)
    const x = await engine.importCiphertext(await client.encrypt(secret, [{ values: randomValues(64, 5) }]))
    {
      using _ = await keys.acquire([
        { kind: 'relinearization', level: 3 },
        { kind: 'conjugation', level: 2 },
        { kind: 'encapsulation', level: 2 },
      ])
      await engine.conjugate(engine.rescale(engine.relinearize(engine.square(x)))).ready()
      await engine.modRaise(engine.dropLevel(x, 0), 2).ready()
    }
    keys.evict(0)
    expect(engine.loadedKeys).toEqual({ rotations: [] })
    expect(engine.keyId).toBe(secret.keyId)
    const strange = await client.generateSecretKey()
    const theirs = await client.encrypt(strange, [{ values: randomValues(64, 5) }])
    await expect(engine.importCiphertext(theirs)).rejects.toThrow(ParameterMismatchError)
    await keys.dispose()
    expect(engine.keyId).toBeUndefined()
    await engine.importCiphertext(theirs)
  })

  it('are prefetched in the background', async () => {
    await using engine = createNativeEngine(parameters)
    await using keys = await openKeyMemory(engine, files, { budget: 3 * ONE })
    using _ = keys.prefetch([turn(1), turn(2)])
    for (; !(keys.isResident(turn(1)) && keys.isResident(turn(2))); ) await new Promise(setImmediate)
    expect(engine.loadedKeys.rotations.map((r) => r.steps)).toEqual([1, 2])
  })

  it('are refused when they do not belong together, or are damaged', async () => {
    await using engine = createNativeEngine(parameters)
    await expect(openKeyMemory(engine, [files[0]!, files[0]!])).rejects.toThrow(FormatError)
    await expect(openKeyMemory(engine, files, { plan: 'cd'.repeat(32) })).rejects.toThrow(ParameterMismatchError)
    await expect(openKeyMemory(engine, files, { keyId: 'cd'.repeat(16) })).rejects.toThrow(ParameterMismatchError)
    const other = await client.generateSecretKey()
    for await (const { bytes } of client.generateEvaluationKeys(other, { rotations: rotationKeys([8], 0) }))
      await expect(openKeyMemory(engine, [...files, bytes])).rejects.toThrow(ParameterMismatchError)
    await expect(openKeyMemory(engine, [await client.generatePublicKey(secret)])).rejects.toThrow(FormatError)
    expect(engine.keyId).toBeUndefined()
  })
})
