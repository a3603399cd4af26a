/** Keys of SEAL's that come and go, from a folder and from memory. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  encodeContainer,
  FormatError,
  type HeaderInput,
  type KeyFileEntry,
  type KeyNeed,
  type KeyStore,
  MemoryError,
  MissingKeyError,
  ParameterMismatchError,
  parseContainer,
  UnsupportedError,
} from '@he-ml/ckks-core'
import type { SecretKey } from '@he-ml/ckks-core/client'
import { writeKeyFolder } from '@he-ml/ckks-core/client/node'
import { KEY_SET_FILE, writeKeySet } from '@he-ml/ckks-core/node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SealClient } from '../client/seal-client.ts'
import { openSealKeyMemory } from '../keys/key-memory.ts'
import type { SealEngine } from '../seal-engine.ts'
import { createParty, testParameters, values } from '../testing/party.ts'
import { openSealKeyFolder } from './key-folder.ts'
import { sealHost } from './seal-host.ts'

const parameters = testParameters(10, 2)
const level = parameters.maxLevel
const plan = '5a'.repeat(32)
const turn = (steps: number): KeyNeed => ({ kind: 'rotation', steps, level })
const rotations = [1, 2, 4].map((steps) => ({ steps, level }))
const request = { relinearization: level, rotations, conjugation: level }
const x = values(parameters.maxSlots, 1)

let engine: SealEngine
let client: SealClient
let secret: SecretKey
let party: AsyncDisposable
let folder = ''
/** Files by name. */
const files = new Map<string, Uint8Array>()
let entries: readonly KeyFileEntry[] = []
beforeAll(async () => {
  const made = await createParty(parameters)
  party = made
  ;({ engine, client, secret } = made)
  folder = await mkdtemp(join(tmpdir(), 'he-ml-seal-'))
  await writeKeyFolder(client, secret, request, folder, { plan })
  const { header } = parseContainer(await readFile(join(folder, KEY_SET_FILE)), { kind: 'keySet', parameters })
  entries = header.keys
  for (const { file } of entries) files.set(file, new Uint8Array(await readFile(join(folder, file))))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
  await party[Symbol.asyncDispose]()
})

const open = (source: 'folder' | 'memory', budget?: number): Promise<KeyStore> =>
  sealHost(engine).openKeys(
    source === 'folder'
      ? { kind: 'folder', path: folder }
      : { kind: 'memory', files: [...files.values()], keyId: secret.keyId },
    { plan, request, ...(budget === undefined ? {} : { budget }) },
  )

describe.each(['folder', 'memory'] as const)('keys from %s', (source) => {
  it('are loaded when leased, work, and give their room to others', async () => {
    const one = (await open(source)).bytes(turn(1))
    await using keys = await open(source, 2 * one)
    expect(keys.available).toEqual(request)
    expect(keys.keyId).toBe(secret.keyId)
    expect(engine.memory().keys).toBe(0)
    let a = await engine.importCiphertext(await client.encrypt(secret, [{ values: x }]))
    expect(() => engine.rotate(a, 1)).toThrow(MissingKeyError)
    for (const steps of [1, 2, 4, 1, 4, 2]) {
      using lease = await keys.acquire([turn(steps)])
      expect(lease.bytes).toBe(one)
      a = engine.rotate(a, steps)
      expect(engine.memory().keys).toBe(keys.residentBytes)
      expect(keys.residentBytes).toBeLessThanOrEqual(2 * one)
    }
    const [got] = await client.decrypt(secret, await engine.exportCiphertext(a))
    for (const [i, v] of got!.re.entries()) expect(Math.abs(v - x[(i + 14) % x.length]!)).toBeLessThan(1e-4)
    expect(engine.loadedKeys).toEqual(keys.resident)
    {
      using _ = await keys.acquire([
        { kind: 'relinearization', level: 1 },
        { kind: 'conjugation', level: 1 },
      ])
      engine.conjugate(engine.rescale(engine.relinearize(engine.square(a))))
    }
    keys.evict(0)
    expect(engine.memory().keys).toBe(0)
    expect(engine.loadedKeys).toEqual({ rotations: [] })
    await expect(keys.acquire([turn(1), turn(2), turn(4)])).rejects.toThrow(MemoryError)
  })

  it('never ask for more than the heap has', async () => {
    await using keys = await open(source, 2 ** 40)
    expect(keys.budget).toBeLessThan(2 ** 32)
  })
})

/** A folder with the same files and another manifest. */
async function forged(change: (keys: KeyFileEntry[]) => KeyFileEntry[], ids: object = { plan }): Promise<string> {
  const other = await mkdtemp(join(folder, 'other-'))
  for (const [name, bytes] of files) await writeFile(join(other, name), bytes)
  await writeKeySet(other, parameters, { keyId: secret.keyId, ...ids }, change([...entries]))
  return other
}
const find = (keys: readonly KeyFileEntry[], steps: 1 | 2) => keys.filter((k) => k.kind === 'galoisKey')[steps - 1]!

describe('what is refused', () => {
  it('a folder for another plan, without a key, or with a file that is gone', async () => {
    await expect(openSealKeyFolder(engine, folder, { plan: '00'.repeat(32) })).rejects.toThrow(ParameterMismatchError)
    const missing = { rotations: [{ steps: 8, level }] }
    await expect(openSealKeyFolder(engine, folder, { request: missing })).rejects.toThrow(MissingKeyError)
    const gone = await forged((keys) => keys)
    await rm(join(gone, find(entries, 1).file))
    await expect(openSealKeyFolder(engine, gone)).rejects.toThrow(MissingKeyError)
    // what is not asked for may be gone
    await (await openSealKeyFolder(engine, gone, { request: { rotations: [], relinearization: 0 } })).dispose()
  })

  it('a file that is damaged, or another key than its manifest says', async () => {
    const damaged = await forged((keys) => keys)
    const { file, bytes } = find(entries, 1)
    await writeFile(
      join(damaged, file),
      files.get(file)!.map((byte, i) => (i === bytes >> 1 ? byte ^ 1 : byte)),
    )
    await using keys = await openSealKeyFolder(engine, damaged)
    await expect(keys.acquire([turn(1)])).rejects.toThrow(/expected the SHA-256/)
    const swapped = await forged((listed) => {
      const [one, two] = [find(listed, 1), find(listed, 2)]
      const { galoisElement } = one
      return listed.map((k) => (k === one ? { ...two, galoisElement: galoisElement! } : k)).filter((k) => k !== two)
    })
    await using others = await openSealKeyFolder(engine, swapped)
    await expect(others.acquire([turn(1)])).rejects.toThrow(/expected the key of element \d+ alone/)
    expect(engine.loadedKeys).toEqual({ rotations: [] })
  })

  it('keys of bootstrapping, sizes that no key has, elements that are none', async () => {
    const wrong = (change: Partial<KeyFileEntry>) => forged(([first]) => [{ ...first!, ...change }])
    const capsule = await wrong({ kind: 'encapsulationKey' })
    await expect(openSealKeyFolder(engine, capsule)).rejects.toThrow(UnsupportedError)
    await expect(openSealKeyFolder(engine, await wrong({ bytes: 2 ** 40 }))).rejects.toThrow(/such a key has at most/)
    const strange = await wrong({ kind: 'galoisKey', galoisElement: 5 })
    await expect(openSealKeyFolder(engine, strange)).rejects.toThrow(/element 5 is neither a rotation/)
  })

  it('in memory: what is no key, and two files for the same one', async () => {
    const [file] = files.values()
    await expect(openSealKeyMemory(engine, [file!, file!])).rejects.toThrow(FormatError)
    const input = await client.encrypt(secret, [{ values: x }])
    for (const bytes of [new Uint8Array(100), input, await client.generatePublicKey(secret)])
      await expect(openSealKeyMemory(engine, [bytes])).rejects.toThrow(FormatError)
    const cut = await openSealKeyMemory(engine, [file!.subarray(0, -8)]).catch((error: unknown) => error)
    expect(cut).toBeInstanceOf(FormatError)
    const ours = encodeContainer({ kind: 'keySet', parameters: parameters.id, keys: [] } as HeaderInput, [], parameters)
    await expect(openSealKeyMemory(engine, [ours])).rejects.toThrow(
      /a file of the native engine, which SEAL cannot read/,
    )
  })
})
