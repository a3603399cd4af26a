import { sha256 } from '@noble/hashes/sha2.js'
import { encode } from 'cborg'
import { describe, expect, it } from 'vitest'
import { FormatError, InvalidArgumentError, ParameterMismatchError } from '../errors/errors.ts'
import { insecureParametersWithFiles } from '../parameters/create-parameters.ts'
import { recommendedParameters } from '../parameters/recommended.ts'
import { beginContainer, encodeContainer, finishContainer, parseContainer } from './container.ts'
import type { FileKind, HeaderInput } from './header.ts'
import { forge } from './testing/forge.ts'
import { sampleFile, sampleParameters, sampleSegments, samples } from './testing/samples.ts'
import { toHex } from './to-hex.ts'

const kinds = Object.keys(samples) as FileKind[]
const parameters = sampleParameters

const forged = (kind: FileKind, change: object): Uint8Array => {
  const { header, segments } = samples[kind]
  return forge(encode({ ...header, insecure: true, segments: segments.map((s) => s.length), ...change }), segments)
}

describe('a container', () => {
  it.each(kinds)('of kind %s comes back as it was, aligned to 64 bytes', (kind) => {
    const { header, segments } = samples[kind]
    const file = sampleFile(kind)
    const parsed = parseContainer(file, { kind, parameters, plan: 'ab'.repeat(32), keyId: 'cd'.repeat(16) })
    expect(parsed.header).toEqual({ ...header, insecure: true, segments: segments.map((s) => s.length) })
    expect(parsed.segments.map((s) => [...s])).toEqual(segments.map((s) => [...s]))
    for (const s of parsed.segments) expect((s.byteOffset - file.byteOffset) % 64).toBe(0)
    expect(sampleFile(kind)).toEqual(file)
  })

  it('has the documented bytes', () => {
    const secure = recommendedParameters('N12-L1')
    const header = { kind: 'secretKey', parameters: secure.id, logN: 12 } as const
    const file = encodeContainer(header, [new Uint8Array(1024)], secure)
    expect(Buffer.from(file.subarray(0, 16)).toString('hex')).toBe('48454d4c010000005000000000000000')
    expect(file.length).toBe(128 + 1024 + 32)
    expect(Buffer.from(file.subarray(16, 22)).toString('latin1')).toBe('\xa4dkind')
  })

  it('may be finished around segments that lie in it already', () => {
    const { header, segments } = samples.encapsulationKey
    const lengths = segments.map((s) => s.length)
    const start = beginContainer(header as HeaderInput, lengths, parameters)
    const file = new Uint8Array(start.layout.totalBytes)
    for (const [i, { offset }] of start.layout.segments.entries()) file.set(segments[i]!, offset)
    const hash = finishContainer(file, start)
    expect(file).toEqual(encodeContainer(header as HeaderInput, segments, parameters))
    expect(hash).toBe(toHex(sha256(file)))
  })

  it('is refused under other parameters, plans, keys, kinds and sizes, naming both sides', () => {
    const file = sampleFile('galoisKey')
    const other = insecureParametersWithFiles({ logN: 10, levels: 1, scaleBits: 30 })
    const mismatch = (e: object) => () => parseContainer(file, { parameters, ...e })
    expect(mismatch({ parameters: other })).toThrow(ParameterMismatchError)
    expect(mismatch({ parameters: other })).toThrow(new RegExp(`${other.id}.*${parameters.id}`))
    expect(mismatch({ plan: '00'.repeat(32) })).toThrow(/header\.plan/)
    expect(mismatch({ keyId: '00'.repeat(16) })).toThrow(/another secret key/)
    expect(mismatch({ kind: 'ciphertext' })).toThrow(/expected ciphertext, got galoisKey/)
    expect(mismatch({ maxBytes: 1000 })).toThrow(/at most 1000/)
  })

  it('of an encapsulation key may have short switches back, one segment each', () => {
    const header = { ...samples.encapsulationKey.header, digits: 1, raising: [5, 25] } as HeaderInput
    const segments = sampleSegments(header, 5)
    expect(segments).toHaveLength(4)
    const read = parseContainer(encodeContainer(header, segments, parameters), { kind: 'encapsulationKey', parameters })
    expect(read.header.raising).toEqual([5, 25])
    expect(read.segments.map((segment) => segment.length)).toEqual(segments.map((segment) => segment.length))
  })

  it('of a wrong shape cannot be written', () => {
    const { header, segments } = samples.galoisKey
    expect(() => encodeContainer({ ...header, galoisElement: 4 } as HeaderInput, segments, parameters)).toThrow(/odd/)
    expect(() => encodeContainer({ ...header, level: 1 } as HeaderInput, segments, parameters)).toThrow(
      InvalidArgumentError,
    )
    expect(() => encodeContainer({ ...header, surprise: 1 } as unknown as HeaderInput, segments, parameters)).toThrow(
      /surprise/,
    )
  })
})

describe('a forged header with a right checksum is refused:', () => {
  const object = samples.ciphertext.header.kind === 'ciphertext' ? samples.ciphertext.header.objects[0]! : undefined
  const second = samples.ciphertext.header.kind === 'ciphertext' ? samples.ciphertext.header.objects[1]! : undefined
  it.each<[string, FileKind, object, RegExp]>([
    ['level above maxLevel', 'relinearizationKey', { level: 3 }, /header\.level: expected a level from 0 to 2/],
    ['wrong limb count', 'publicKey', { limbs: 3 }, /header\.limbs: expected 2, got 3/],
    ['wrong digits', 'relinearizationKey', { digits: 3 }, /header\.digits/],
    ['short switches of many digits', 'encapsulationKey', { raising: [5] }, /header\.digits: expected 1, got 2/],
    ['short switches without segments', 'encapsulationKey', { raising: [5], digits: 1 }, /expected 3, got 2/],
    ['an element twice', 'encapsulationKey', { raising: [5, 5], digits: 1 }, /listed twice/],
    ['a large element', 'encapsulationKey', { raising: [2049], digits: 1 }, /raising\[0\].*below 2N = 2048/],
    ['an even element', 'encapsulationKey', { raising: [6], digits: 1 }, /odd/],
    ['raising in a Galois key', 'galoisKey', { raising: [5] }, /raising/],
    [
      'raising in the list of a Galois key',
      'keySet',
      {
        keys: [
          { file: 'x', kind: 'galoisKey', level: 0, galoisElement: 5, raising: [5], bytes: 1, sha256: 'ef'.repeat(32) },
        ],
      },
      /raising: expected for an encapsulationKey only/,
    ],
    ['even Galois element', 'galoisKey', { galoisElement: 6 }, /odd/],
    ['Galois element of 2N', 'galoisKey', { galoisElement: 2049 }, /below 2N = 2048/],
    ['scale 1', 'ciphertext', { objects: [{ ...object, scale: 1 }, second] }, /objects\[0\]\.scale/],
    ['scale above the modulus', 'ciphertext', { objects: [{ ...object, scale: 2 ** 80 }, second] }, /modulus/],
    ['degree 3', 'ciphertext', { objects: [{ ...object, degree: 3 }, second] }, /degree/],
    ['slots above N/2', 'ciphertext', { objects: [{ ...object, slots: 1024 }, second] }, /at most 512/],
    ['slots no power of two', 'ciphertext', { objects: [{ ...object, slots: 3 }, second] }, /power of two/],
    ['seed and degree 2', 'ciphertext', { objects: [object, { ...second, seeded: true }] }, /seeded/],
    ['too few segments', 'ciphertext', { objects: [object] }, /segments\.length: expected 1, got 2/],
    ['wrong segment length', 'publicKey', { segments: [100] }, /segments\[0\]: expected 12320, got 100/],
    ['huge segment', 'plan', { segments: [2 ** 39] }, /expected a file of/],
    ['negative length', 'plan', { segments: [-1] }, /segments/],
    ['unknown kind', 'plan', { kind: 'spell' }, /kind/],
    [
      'a path as file name',
      'keySet',
      { keys: [{ file: '../x', kind: 'publicKey', level: 0, bytes: 1, sha256: 'ef'.repeat(32) }] },
      /plain file name/,
    ],
    ['wrong content hash', 'plan', { contentHash: '00'.repeat(32) }, /contentHash/],
    ['wrong logN', 'secretKey', { logN: 11 }, /logN|segments/],
  ])('%s', (_, kind, change, message) => {
    const read = () => parseContainer(forged(kind, change), { parameters })
    expect(read).toThrow(FormatError)
    expect(read).toThrow(message)
  })

  it('CBOR that is not canonical, not strict, too deep, or followed by more', () => {
    const good = encode({ ...samples.plan.header, segments: [samples.plan.segments[0]!.length] })
    const deep = new Uint8Array(100_000).fill(0x81)
    const proto = new Uint8Array([0xa1, 0x69, ...Buffer.from('__proto__'), 0xa0])
    for (const header of [
      deep,
      proto,
      new Uint8Array([...good, 0]),
      new Uint8Array([0xbf, ...good.subarray(1), 0xff]),
      new Uint8Array([0xf9, 0x7e, 0]),
      new Uint8Array([0x18, 0x01]),
      new Uint8Array([0x9b, 0x7f, 255, 255, 255, 255, 255, 255, 255]),
    ])
      expect(() => parseContainer(forge(header, samples.plan.segments))).toThrow(FormatError)
  })

  it('plan content that is no canonical JSON', () => {
    for (const text of ['{"b":1,"a":2}', '{"a": 1}', '', '\uFEFF1', `${'['.repeat(200_000)}${']'.repeat(200_000)}`]) {
      const segment = new TextEncoder().encode(text)
      const hash = Buffer.from(sha256(segment)).toString('hex')
      const header = { kind: 'plan', parameters: '00'.repeat(16), contentHash: hash, segments: [segment.length] }
      expect(() => parseContainer(forge(encode(header), [segment]))).toThrow(FormatError)
    }
  })
})

describe('sample segments', () => {
  it('differ by seed', () => {
    const { header } = samples.publicKey
    expect(sampleSegments(header, 1)).not.toEqual(sampleSegments(header, 2))
  })
})
