/** Relinearisation and rescaling at once: the same as one after the other, to the bit. */
import { createClearEngine, insecureParametersWithFiles, LevelError, MissingKeyError } from '@he-ml/ckks-core'
import { describe, expect, it } from 'vitest'
import { createNativeClient } from './client/native-client.ts'
import { loadEvaluationKey } from './keys/load-keys.ts'
import { randomValues } from './native.test-helper.ts'
import { createNativeEngine } from './native-engine.ts'

// above 47 bits a level has two primes
describe.each([40, 60])('with scales of %i bits', (scaleBits) => {
  const parameters = insecureParametersWithFiles({ logN: 11, levels: 4, scaleBits })

  it('gives the bytes that both give', async () => {
    await using client = createNativeClient(parameters)
    await using server = createNativeEngine(parameters)
    const key = await client.generateSecretKey()
    const file = await client.encrypt(key, [{ values: randomValues(1024, 3) }])
    for await (const { bytes } of client.generateEvaluationKeys(key, { relinearization: 4, rotations: [] }))
      await loadEvaluationKey(server, bytes)
    key.dispose()
    using fresh = await server.importCiphertext(file)
    for (const level of [4, 2, 1]) {
      using x = server.dropLevel(fresh, level)
      using square = server.square(x)
      using linear = server.relinearize(square)
      using apart = server.rescale(linear)
      using atOnce = server.relinearizeRescale(square)
      expect([atOnce.level, atOnce.scale, atOnce.degree]).toEqual([level - 1, apart.scale, 1])
      expect(await server.exportCiphertext(atOnce)).toEqual(await server.exportCiphertext(apart))
      using half = server.mulScalar(x, 0.5)
      using rescaled = server.rescale(half)
      using nothingToSwitch = server.relinearizeRescale(half)
      expect(await server.exportCiphertext(nothingToSwitch)).toEqual(await server.exportCiphertext(rescaled))
    }
  })

  it('says what it lacks', () => {
    const engine = createClearEngine(parameters, { keys: { relinearization: 1, rotations: [] } })
    const low = engine.encryptClear(randomValues(16, 1), { level: 0 })
    expect(() => engine.relinearizeRescale(low)).toThrow(LevelError)
    expect(() => engine.relinearizeRescale(low)).toThrow(/^relinearizeRescale: expected level >= 1/)
    const high = engine.encryptClear(randomValues(16, 1), { level: 2 })
    expect(() => engine.relinearizeRescale(engine.square(high))).toThrow(MissingKeyError)
  })
})
