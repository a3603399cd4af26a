/**
 * Damaged files of every kind that the compiled engine reads, with the checksum made right again, so that its own checks are
 * reached: residues, lengths, levels, limbs. Typed errors only, nothing half loaded, and good files still work afterwards.
 */
import { createHash } from 'node:crypto'
import { HeMlError, insecureParametersWithFiles, parseContainer } from '@he-ml/ckks-core'
import type { SecretKey } from '@he-ml/ckks-core/client'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { forgeFields } from '../../ckks-core/src/format/testing/forge.ts'
import { createNativeClient, type NativeClient } from './client/native-client.ts'
import { loadEvaluationKey } from './keys/load-keys.ts'
import { randomValues, rotationKeys } from './native.test-helper.ts'
import { createNativeEngine, type NativeEngine } from './native-engine.ts'

const parameters = insecureParametersWithFiles({ logN: 10, levels: 2, scaleBits: 40 })
const KINDS = [
  'seeded ciphertext',
  'ciphertext',
  'public key',
  'relinearization key',
  'galois key',
  'encapsulation key',
  'secret key',
] as const
type Kind = (typeof KINDS)[number]

let client: NativeClient
let server: NativeEngine
let key: SecretKey
const files = {} as Record<Kind, Uint8Array>
const KEY_NAMES = {
  relinearizationKey: 'relinearization key',
  galoisKey: 'galois key',
  encapsulationKey: 'encapsulation key',
} as const
const codes = new Map<string, number>()
let cases = 0

beforeAll(async () => {
  client = createNativeClient(parameters)
  server = createNativeEngine(parameters)
  key = await client.generateSecretKey()
  files['seeded ciphertext'] = await client.encrypt(key, [{ values: randomValues(512, 1) }])
  files['public key'] = await client.generatePublicKey(key)
  files.ciphertext = await client.encrypt(files['public key'], [{ values: randomValues(512, 1) }], { level: 1 })
  files['secret key'] = await client.exportSecretKey(key)
  const request = { relinearization: 2, rotations: rotationKeys([1], 1), encapsulation: 1 }
  for await (const { kind, bytes } of client.generateEvaluationKeys(key, request)) files[KEY_NAMES[kind]] = bytes
})
afterAll(async () => {
  await server.dispose()
  await client.dispose()
})

async function read(kind: Kind, file: Uint8Array): Promise<void> {
  if (kind === 'secret key') (await client.importSecretKey(file)).dispose()
  else if (kind === 'public key') await client.encrypt(file, [{ values: Float64Array.of(1) }], { level: 0 })
  else if (kind.endsWith('ciphertext')) (await server.importCiphertext(file)).dispose()
  else await loadEvaluationKey(server, file)
}

/** 'ok', or the typed error's code; anything else is thrown. */
async function attempt(kind: Kind, file: Uint8Array): Promise<string> {
  cases++
  let outcome = 'ok'
  try {
    await read(kind, file)
  } catch (error) {
    if (!(error instanceof HeMlError) || error.code === 'Internal') throw error
    outcome = error.code
  }
  codes.set(outcome, (codes.get(outcome) ?? 0) + 1)
  return outcome
}

function reseal(file: Uint8Array): Uint8Array {
  if (file.length < 32) return file
  file.set(createHash('sha256').update(file.subarray(0, -32)).digest(), file.length - 32)
  return file
}

const headerEnd = (file: Uint8Array): number => 16 + new DataView(file.buffer, file.byteOffset).getUint32(8, true)
const segmentStart = (file: Uint8Array): number => Math.ceil(headerEnd(file) / 64) * 64
const seedBytes = (kind: Kind): number => (kind === 'ciphertext' ? 0 : 32)

describe('damaged files', () => {
  it('whole ones are read', async () => {
    for (const kind of KINDS) expect(await attempt(kind, files[kind]), kind).toBe('ok')
    server.unloadKeys()
  })

  it.each(KINDS.filter((k) => k !== 'secret key'))('%s: a residue of its prime or more, anywhere', async (kind) => {
    const file = files[kind]
    const { segments } = parseContainer(file, { parameters })
    const property = fc.asyncProperty(fc.nat(), fc.nat(), fc.nat(3), async (which, index, how) => {
      const changed = file.slice()
      const segment = segments[which % segments.length]!
      const residues = (segment.length - seedBytes(kind)) / 6
      const at = segment.byteOffset - file.byteOffset + seedBytes(kind) + 6 * (index % residues)
      // all primes are below 2^47.01; 2^48 - 1 and near it are too large for each
      changed.set([255 - how, 255, 255, 255, 255, 255], at)
      expect(await attempt(kind, reseal(changed))).toBe('Format')
    })
    await fc.assert(property, { numRuns: 250, endOnFailure: true })
  })

  it('secret key: a coefficient that is not ternary', async () => {
    const file = files['secret key']
    const property = fc.asyncProperty(fc.nat(255), fc.nat(3), async (byte, pair) => {
      const changed = file.slice()
      changed[segmentStart(file) + byte]! |= 3 << (2 * pair)
      expect(await attempt('secret key', reseal(changed))).toBe('Format')
    })
    await fc.assert(property, { numRuns: 250, endOnFailure: true })
  })

  it.each(KINDS)('%s: bits flipped anywhere, checksum right', async (kind) => {
    const file = files[kind]
    const property = fc.asyncProperty(
      fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      async (bits, inHeader) => {
        const changed = file.slice()
        const size = 8 * (inHeader ? headerEnd(file) : file.length - 32)
        for (const bit of bits) changed[(bit % size) >> 3]! ^= 1 << (bit % 8)
        await attempt(kind, reseal(changed))
      },
    )
    await fc.assert(property, { numRuns: 400, endOnFailure: true })
  })

  it.each(KINDS)('%s: cut, grown, or without a right checksum', async (kind) => {
    const file = files[kind]
    const property = fc.asyncProperty(fc.nat(), fc.integer({ min: 0, max: 2 }), async (n, how) => {
      const changed =
        how === 0 ? file.slice(0, n % file.length) : how === 1 ? new Uint8Array([...file, 1, 2]) : file.slice()
      if (how === 2) changed[n % file.length]! ^= 1 << (n % 8)
      expect(['Format', 'ParameterMismatch']).toContain(await attempt(kind, how === 2 ? changed : reseal(changed)))
    })
    await fc.assert(property, { numRuns: 200, endOnFailure: true })
  })

  it.each(KINDS)('%s: another level, degree, seeding or element in the header, lengths unchanged', async (kind) => {
    const file = files[kind]
    const { header, segments } = parseContainer(file, { parameters })
    const property = fc.asyncProperty(
      fc.constantFrom(0, 1, 2, 3, 100),
      fc.boolean(),
      fc.constantFrom(3, 5, 7, 2047, 2049),
      async (level, seeded, element) => {
        const object = 'objects' in header ? { objects: [{ ...header.objects[0]!, level, seeded }] } : {}
        const own = 'level' in header ? { level, seeded } : {}
        const galois = 'galoisElement' in header ? { galoisElement: element } : {}
        const { segments: _, ...rest } = { ...header, ...own, ...object, ...galois }
        await attempt(kind, forgeFields(rest, segments))
      },
    )
    await fc.assert(property, { numRuns: 60, endOnFailure: true })
  })

  it('left nothing behind, and good files still work', async () => {
    server.unloadKeys()
    await server.drain()
    expect(server.memory()).toMatchObject({ ciphertexts: 0, keys: 0 })
    for (const kind of KINDS) expect(await attempt(kind, files[kind]), kind).toBe('ok')
    const x = await server.importCiphertext(files.ciphertext)
    const [got] = await client.decrypt(key, await server.exportCiphertext(server.rotate(x, 1)))
    expect(Math.abs(got!.re[0]! - randomValues(512, 1)[1]!)).toBeLessThan(2 ** -16)
    await server.modRaise(server.dropLevel(x, 0), 1).ready()
  })

  it('were at least 5,000, most of them refused', () => {
    console.log(`${cases} damaged files:`, Object.fromEntries(codes))
    expect(cases).toBeGreaterThanOrEqual(5000)
    expect(codes.get('Format')!).toBeGreaterThan(3000)
  })
})
