/** Every attack on publication that needs no cryptography, by a hostile server, a hurried owner, or both. */
import { describe, expect, it } from 'vitest'
import { InvalidArgumentError, ParameterMismatchError, SecurityError, UnsupportedError } from '../errors/errors.ts'
import { answer, contract, FakeClient, fakeKey, readFake } from './client.test-helper.ts'
import type { EncryptionOptions } from './client-engine.ts'
import { memoryLedger, startMemoryLedger } from './ledger/memory-ledger.ts'
import { createKeyId } from './secret-key.ts'

const inputs = (first: number) => [
  { values: Float64Array.of(first, 0, 1, 2) },
  { values: Float64Array.of(-1, 0, 0, 0.5) },
]

async function party(queries = 2) {
  const client = new FakeClient()
  const key = await client.generateSecretKey()
  const ledger = startMemoryLedger({ keyId: key.keyId, contract, used: 0 })
  const options = { ledger, queries, count: 1, statisticalBits: 10, precisionBits: -20 }
  const encrypt = (more: EncryptionOptions = {}, first = 1) => client.encrypt(key, inputs(first), { ledger, ...more })
  return { client, key, ledger, options, encrypt }
}

describe('the budget', () => {
  it('ends, also for a key that is imported again, and for another client', async () => {
    const { client, key, options, encrypt } = await party(2)
    const result = answer(await encrypt())
    await client.decryptForPublication(key, result, options)
    const again = await client.importSecretKey(await client.exportSecretKey(key))
    await client.decryptForPublication(again, result, { ...options, ledger: memoryLedger(key.keyId) })
    for (const c of [client, new FakeClient()])
      for (const k of [key, again])
        await expect(c.decryptForPublication(k, result, options)).rejects.toThrow(/2 of 2 declared/)
    expect(client.decrypted).toBe(2)
  })
  it('cannot be raised, nor begun again in this process', async () => {
    const { client, key, options, encrypt } = await party(1)
    const result = answer(await encrypt())
    await client.decryptForPublication(key, result, options)
    await expect(client.decryptForPublication(key, result, { ...options, queries: 9 })).rejects.toThrow(SecurityError)
    expect(() => startMemoryLedger({ keyId: key.keyId, contract, used: 0 })).toThrow(SecurityError)
    expect(client.decrypted).toBe(1)
  })
  it('is counted before the values exist', async () => {
    const { client, key, ledger, options, encrypt } = await party(1)
    const result = answer(await encrypt(), {}, [1e300, 0, 0, 0])
    await expect(client.decryptForPublication(key, result, options)).rejects.toThrow(/doubles would lose/)
    expect((await ledger.read()).used).toBe(1)
  })
  it('needs the ledger of this very key', async () => {
    const { client, key, options, encrypt } = await party()
    const result = answer(await encrypt())
    const other = await party()
    await expect(client.decryptForPublication(key, result, { ...options, ledger: other.ledger })).rejects.toThrow(
      /ledger is of secret key/,
    )
    await expect(client.encrypt(key, inputs(1), { ledger: other.ledger })).rejects.toThrow(ParameterMismatchError)
    await expect(client.encrypt(new Uint8Array(3), inputs(1), { ledger: other.ledger })).rejects.toThrow(/public key/)
    expect(() => memoryLedger(createKeyId())).toThrow(SecurityError)
  })
})

describe('a returned file', () => {
  const [ciphertext] = readFakeFacts()
  const changed: [string, object][] = [
    ['scale', { ciphertexts: [{ ...ciphertext!, scale: contract.output.scale / 2 ** 20 }] }],
    ['scale', { ciphertexts: [{ ...ciphertext!, scale: contract.output.scale * (1 + 2 ** -20) }] }],
    ['level', { ciphertexts: [{ ...ciphertext!, level: 1 }] }],
    ['degree', { ciphertexts: [{ ...ciphertext!, degree: 2 }] }],
    ['slots', { ciphertexts: [{ ...ciphertext!, slots: 8 }] }],
    ['number of ciphertexts', { ciphertexts: [ciphertext!, ciphertext!] }],
    ['number of ciphertexts', { ciphertexts: [] }],
  ]
  it.each(changed)('with another %s is refused before anything is decrypted or counted', async (what, facts) => {
    const { client, key, ledger, options, encrypt } = await party()
    const result = answer(await encrypt(), facts)
    const says = new RegExp(`the result's ${what}`)
    await expect(client.decryptForPublication(key, result, options)).rejects.toThrow(says)
    await expect(client.decrypt(key, result, { contract })).rejects.toThrow(ParameterMismatchError)
    expect(client.decrypted).toBe(0)
    expect((await ledger.read()).used).toBe(0)
  })
  it('of another plan, key or request, or that names none, is refused', async () => {
    const { client, key, ledger, options, encrypt } = await party()
    const input = await encrypt()
    const names = readFake(input).facts.names!
    for (const [change, says] of [
      [{ plan: '00'.repeat(32) }, /plan: expected/],
      [{ plan: undefined }, /plan: expected .* got none/],
      [{ keyId: createKeyId() }, /keyId/],
      [{ keyId: undefined }, /keyId.*got none/],
      [{ request: createKeyId() }, /does not know/],
      [{ request: undefined }, /none named/],
    ] as const)
      await expect(
        client.decryptForPublication(key, answer(input, { names: { ...names, ...change } }), options),
      ).rejects.toThrow(says)
    expect(client.decrypted).toBe(0)
    expect((await ledger.read()).used).toBe(0)
  })
  it('for parameters of another ring is refused', async () => {
    const { client, key, encrypt } = await party()
    const strange = { ...contract, parameters: '00'.repeat(16) }
    await expect(client.decrypt(key, answer(await encrypt()), { contract: strange })).rejects.toThrow(/parameters/)
  })
})

describe('inputs', () => {
  it('in the range are remembered, under a name of their own', async () => {
    const { ledger, encrypt } = await party()
    const ids = [await encrypt(), await encrypt()].map((file) => readFake(file).facts.names!.request)
    expect(ids[0]).toMatch(/^[0-9a-f]{32}$/)
    expect((await ledger.read()).requests).toEqual(ids.map((id) => ({ id })))
  })
  it('outside the range are refused, or cannot be published whatever the file says', async () => {
    const { client, key, ledger, options, encrypt } = await party()
    await expect(encrypt({}, 2.1)).rejects.toThrow(InvalidArgumentError)
    await expect(encrypt({}, -1.1)).rejects.toThrow(/calibrated for real values from -1 to 2/)
    expect((await ledger.read()).requests).toEqual([])
    const flagged = answer(await encrypt({ allowOutOfRange: true }, 128))
    await expect(client.decryptForPublication(key, flagged, options)).rejects.toThrow(/outside the plan's range/)
    await client.decrypt(key, flagged, { contract })
    const imaginary = inputs(1).map(({ values }) => ({ values: { re: values, im: Float64Array.of(0, 1e-9, 0, 0) } }))
    await expect(client.encrypt(key, imaginary, { ledger })).rejects.toThrow(InvalidArgumentError)
  })
  it('are held to the range by a contract alone, and by a public key too', async () => {
    const client = new FakeClient()
    for (const key of [fakeKey(), new Uint8Array(3)]) {
      await expect(client.encrypt(key, inputs(3), { contract })).rejects.toThrow(InvalidArgumentError)
      await client.encrypt(key, inputs(3), { contract, allowOutOfRange: true })
      await client.encrypt(key, inputs(2), { contract })
    }
  })
  it('must have the size, level, scale and plan of the contract', async () => {
    const { client, key, ledger, encrypt } = await party()
    await expect(client.encrypt(key, inputs(1).slice(1), { ledger })).rejects.toThrow(/takes 2 input ciphertexts/)
    const long = inputs(1).map(() => ({ values: new Float64Array(8) }))
    await expect(client.encrypt(key, long, { ledger })).rejects.toThrow(/vectors of 4 slots/)
    await expect(encrypt({ level: 1 })).rejects.toThrow(/level 2, got 1/)
    await expect(encrypt({ scale: 2 ** 30 })).rejects.toThrow(InvalidArgumentError)
    await expect(encrypt({ plan: '00'.repeat(32) })).rejects.toThrow(ParameterMismatchError)
    await expect(encrypt({ contract: { ...contract, plan: '00'.repeat(32) } })).rejects.toThrow(
      /one key serves one plan/,
    )
  })
  it('of others are unknown, and their results stay private', async () => {
    const { client, key, options } = await party()
    const theirs = readFake(await client.encrypt(new Uint8Array(3), inputs(1), { contract }))
    const named = { ...theirs.facts.names!, keyId: key.keyId }
    const result = answer(await client.encrypt(key, inputs(1), { contract }), { names: named })
    await expect(client.decryptForPublication(key, result, options)).rejects.toThrow(/does not know/)
  })
})

describe('an engine that does not declare its errors', () => {
  it('publishes nothing', async () => {
    const { key, options, encrypt, ledger } = await party()
    const silent = new FakeClient(false)
    await expect(silent.decryptForPublication(key, answer(await encrypt()), options)).rejects.toThrow(UnsupportedError)
    expect(silent.decrypted).toBe(0)
    expect((await ledger.read()).used).toBe(0)
  })
})

function readFakeFacts() {
  const { level, scale, slots } = contract.output
  return [{ level, scale, slots, degree: 1 }]
}
