import { type AnyParameters, InvalidArgumentError, ScaleError } from '@he-ml/ckks-core'
import { describe, expect, it } from 'vitest'
import { roomBits } from './encode-slots.ts'
import { createParty, testParameters, values } from './testing/party.ts'

// log2 Q lies just below an integer: primes a little below powers of two
const parameters: AnyParameters = testParameters(12, 2, 36)
const top = parameters.maxLevel
const logQ = parameters.logQAt(top)

describe('room in the modulus', () => {
  it('is what SEAL takes: its bits less two at the top', () => {
    const bits = parameters.qLimbs.reduce((all, prime) => all * BigInt(prime), 1n).toString(2).length
    expect(roomBits(parameters, top)).toBeCloseTo(bits - 2, 8)
    expect(roomBits(parameters, 0)).toBeCloseTo(parameters.logQAt(0) - 1, 8)
    expect(roomBits(parameters, top)).toBeLessThan(logQ - 1.5)
  })

  it('refuses what SEAL would, thousands of times, and works on', async () => {
    await using party = await createParty(parameters)
    const { engine, client, secret } = party
    const scale = 2 ** 36
    // between what SEAL takes and half the modulus
    const large = 2 ** ((roomBits(parameters, top) + logQ - 1) / 2 - 36)
    for (let i = 0; i < 3000; i++) {
      const values =
        i % 2 === 0 ? { re: Float64Array.of(1, large) } : { re: Float64Array.of(1), im: Float64Array.of(-large) }
      const call = () => engine.encode(values, { level: top, scale })
      expect(call).toThrow(InvalidArgumentError)
      expect(call).toThrow(/^encode: slot \d times the scale has/)
    }
    // a scale that leaves no room is refused for zeros too
    for (let i = 0; i < 3000; i++)
      await expect(
        client.encrypt(secret, [{ values: Float64Array.of(0) }], { scale: 2 ** (logQ - 1.1) }),
      ).rejects.toThrow(ScaleError)
    expect(engine.memory()).toMatchObject({ plaintexts: 0, ciphertexts: 0 })
    const small = 2 ** (roomBits(parameters, top) - 37)
    engine.encode({ re: Float64Array.of(small), im: Float64Array.of(0) }, { level: top, scale }).dispose()
    const x = values(2048, 1)
    const [back] = await client.decrypt(secret, await client.encrypt(secret, [{ values: x }]))
    expect(Math.max(...back!.re.map((v, i) => Math.abs(v - x[i]!)))).toBeLessThan(2 ** -18)
  })

  it('takes the largest value that fits', async () => {
    await using party = await createParty(parameters)
    const largest = 2 ** (roomBits(parameters, top) - 36 - 2 ** -29)
    party.engine.encode(Float64Array.of(largest), { level: top, scale: 2 ** 36 }).dispose()
  })
})

describe('keys loaded again', () => {
  it('take the place of the old ones', async () => {
    await using party = await createParty(parameters)
    const { engine, client, secret } = party
    const request = { relinearization: top, rotations: [{ steps: 1, level: top }] }
    for await (const { kind, bytes } of client.generateEvaluationKeys(secret, request)) {
      const load = () => (kind === 'galoisKey' ? engine.loadGaloisKeys(bytes) : engine.loadRelinearizationKey(bytes))
      load()
      const { keys } = engine.memory()
      for (let i = 0; i < 5; i++) load()
      expect(engine.memory().keys).toBe(keys)
    }
  })
})
