/** Every file that client and engine write, described; and what damage does to them. */
import { FormatError } from '@he-ml/ckks-core'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createParty, type Party, testParameters } from '../testing/party.ts'
import { describeSealFile, looksLikeSeal, sealObjectBytes } from './describe-seal-file.ts'

const parameters = testParameters(10, 2)
const N = parameters.ringDegree
const KINDS = [
  'ciphertexts',
  'answer',
  'publicKey',
  'secretKey',
  'relinearizationKey',
  'rotation',
  'conjugation',
] as const

let party: Party
const files = {} as Record<(typeof KINDS)[number], Uint8Array>
beforeAll(async () => {
  party = await createParty(parameters)
  const { client, engine, secret } = party
  const values = Float64Array.of(1, 2, 3, 4)
  files.ciphertexts = await client.encrypt(secret, [{ values }, { values }])
  const [x] = (await engine.importCiphertexts(files.ciphertexts)).ciphertexts
  files.answer = await engine.exportCiphertext(engine.rescale(engine.square(x!)))
  files.publicKey = await client.generatePublicKey(secret)
  files.secretKey = await client.exportSecretKey(secret)
  const level = parameters.maxLevel
  const request = { relinearization: level, rotations: [{ steps: 5, level }], conjugation: level }
  const names = ['relinearizationKey', 'rotation', 'conjugation'] as const
  const keys = client.generateEvaluationKeys(secret, request)
  let i = 0
  for await (const { bytes } of keys) files[names[i++]!] = bytes
})
afterAll(() => party[Symbol.asyncDispose]())

const hash = expect.stringMatching(/^[0-9a-f]{64}$/)
const ofKeys = () => ({ parameters: hash, ringDegree: N, primes: 4 })

describe('what a file says', () => {
  it('of ciphertexts: each with level, scale and size', () => {
    const { length } = files.ciphertexts
    const fresh = { kind: 'ciphertext', bytes: length / 2, parameters: hash, ringDegree: N, primes: 3, polynomials: 2 }
    const scale = parameters.scaleAt(2)
    expect(describeSealFile(files.ciphertexts)).toEqual([0, 1].map(() => ({ ...fresh, scale, seeded: true })))
    const [answer] = describeSealFile(files.answer)
    expect(answer).toMatchObject({ kind: 'ciphertext', primes: 2, polynomials: 3, seeded: false })
    expect(describeSealFile(files.ciphertexts)[0]!.parameters).not.toBe(answer!.parameters)
  })
  it('of keys: which they are, for which parameters, the secret one by the name that its client gives it', () => {
    const bytes = (name: (typeof KINDS)[number]) => ({ bytes: files[name].length })
    expect(describeSealFile(files.publicKey)).toEqual([{ kind: 'publicKey', ...bytes('publicKey'), ...ofKeys() }])
    const { keyId } = party.secret
    const secret = { kind: 'secretKey', ...bytes('secretKey'), parameters: hash, residues: 4 * N, keyId }
    expect(describeSealFile(files.secretKey)).toEqual([secret])
    const relinearization = { kind: 'relinearizationKey', ...bytes('relinearizationKey'), ...ofKeys() }
    expect(describeSealFile(files.relinearizationKey)).toEqual([relinearization])
    const galois = (name: 'rotation' | 'conjugation') => ({ kind: 'galoisKeys', ...bytes(name), ...ofKeys() })
    expect(describeSealFile(files.rotation)).toEqual([{ ...galois('rotation'), galoisElements: [3 ** 5], steps: [5] }])
    const conjugation = { ...galois('conjugation'), galoisElements: [2 * N - 1], steps: [0] }
    expect(describeSealFile(files.conjugation)).toEqual([conjugation])
    const ids = KINDS.filter((kind) => kind !== 'ciphertexts' && kind !== 'answer').map(
      (kind) => describeSealFile(files[kind])[0]!.parameters,
    )
    expect(new Set(ids).size).toBe(1)
  })
  it('nothing, of what is none of SEAL’s', () => {
    for (const bytes of [[], [0x5e], [0x7b, 0x7d], [0x48, 0x45]]) {
      expect(looksLikeSeal(Uint8Array.from(bytes))).toBe(false)
      expect(() => describeSealFile(Uint8Array.from(bytes))).toThrow(FormatError)
    }
    for (const kind of KINDS) expect(looksLikeSeal(files[kind])).toBe(true)
  })
  it('in a header: the size of its object', () => {
    for (const kind of KINDS) {
      const [first] = describeSealFile(files[kind])
      expect(sealObjectBytes(files[kind].slice(0, 16))).toBe(first!.bytes)
      for (let length = 0; length < 16; length++)
        expect(() => sealObjectBytes(files[kind].slice(0, length))).toThrow(FormatError)
    }
  })
})

describe.each(KINDS)('damaged: %s', (kind) => {
  it('cut anywhere it is refused, but between two objects', () => {
    const whole = files[kind]
    const ends = describeSealFile(whole).map(({ bytes }) => bytes)
    for (let length = 0; length < whole.length; length += length < 400 ? 1 : 997)
      if (length !== ends[0] || ends.length === 1)
        expect(() => describeSealFile(whole.subarray(0, length)), `${length}`).toThrow(FormatError)
    expect(() => describeSealFile(Uint8Array.of(...whole.subarray(0, 99), 0))).toThrow(FormatError)
  })
  it('changed anywhere it ends in a description or a FormatError that names a byte', () => {
    const whole = files[kind]
    const place = fc.oneof(fc.nat(200), fc.nat(whole.length - 1))
    fc.assert(
      fc.property(place, fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = whole.slice()
        changed[at]! ^= flip
        try {
          for (const { bytes } of describeSealFile(changed)) expect(bytes).toBeLessThanOrEqual(whole.length)
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError)
          expect((error as Error).message).toMatch(/at byte \d+|element \d+/)
        }
      }),
      { numRuns: 500 },
    )
  })
  it('random bytes behind a header that is right are refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (content) => {
        const file = Uint8Array.of(...files[kind].subarray(0, 16), ...content)
        new DataView(file.buffer).setBigUint64(8, BigInt(file.length), true)
        expect(() => describeSealFile(file)).toThrow(FormatError)
      }),
      { numRuns: 300 },
    )
  })
})
