import { spawnSync } from 'node:child_process'
/** Key sets on disk: written so that they can be resumed, loaded with every byte checked. */
import { copyFile, mkdtemp, readdir, readFile, rm, stat, symlink, truncate, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  CancelledError,
  encodeContainer,
  FormatError,
  galoisElement,
  type HeaderInput,
  insecureParametersWithFiles,
  MissingKeyError,
  ParameterMismatchError,
  parseContainer,
  sha256,
} from '@he-ml/ckks-core'
import type { SecretKey } from '@he-ml/ckks-core/client'
import { writeKeyFolder } from '@he-ml/ckks-core/client/node'
import { KEY_SET_FILE } from '@he-ml/ckks-core/node'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { loadKeyFolder } from '../keys/load-key-folder.ts'
import { precisionBits, randomValues, rotationKeys } from '../native.test-helper.ts'
import { createNativeEngine, type NativeEngine } from '../native-engine.ts'
import { createNativeClient, type NativeClient } from './native-client.ts'

const parameters = insecureParametersWithFiles({ logN: 10, levels: 3, scaleBits: 40 })
const plan = '5a'.repeat(32)
const request = { relinearization: 3, rotations: rotationKeys([1, 4], 2), conjugation: 1, encapsulation: 2 }
const fourFile = `galois-${galoisElement(4, 10)}.key`
const names = ['encapsulation.key', 'galois-2047.key', 'galois-5.key', fourFile, KEY_SET_FILE, 'relinearization.key']

let client: NativeClient
let key: SecretKey
let root = ''
let folders = 0
const newFolder = () => join(root, `set-${folders++}`)
beforeAll(async () => {
  client = createNativeClient(parameters)
  key = await client.generateSecretKey()
  root = await mkdtemp(join(tmpdir(), 'he-ml-keys-'))
})
afterAll(async () => {
  await client.dispose()
  await rm(root, { recursive: true })
})

async function withEngine(use: (engine: NativeEngine) => Promise<void>): Promise<void> {
  const engine = createNativeEngine(parameters)
  try {
    await use(engine)
  } finally {
    await engine.dispose()
  }
}
const written = async () => {
  const folder = newFolder()
  await writeKeyFolder(client, key, request, folder, { plan })
  return folder
}
const list = async (folder: string) => (await readdir(folder)).sort()
/** Changes with every writing: files are replaced, never written over. */
const inodes = async (folder: string) =>
  new Map(await Promise.all((await list(folder)).map(async (f) => [f, (await stat(join(folder, f))).ino] as const)))

describe('a key set', () => {
  it('is written, listed and loaded, and its keys work', async () => {
    const folder = newFolder()
    const made: string[] = []
    const result = await writeKeyFolder(client, key, request, folder, {
      plan,
      onProgress: (done, total) => made.push(`${done}/${total}`),
    })
    expect(made).toEqual(['1/5', '2/5', '3/5', '4/5', '5/5'])
    expect(await list(folder)).toEqual([...names].sort())
    const { header } = parseContainer(await readFile(join(folder, KEY_SET_FILE)), { kind: 'keySet', parameters })
    expect(header).toMatchObject({ keyId: key.keyId, plan })
    for (const entry of header.keys) {
      const bytes = await readFile(join(folder, entry.file))
      expect(entry).toMatchObject({ bytes: bytes.length, sha256: Buffer.from(sha256(bytes)).toString('hex') })
    }
    expect(result).toEqual({ keys: 5, reused: 0, bytes: header.keys.reduce((sum, k) => sum + k.bytes, 0) })
    await withEngine(async (engine) => {
      const loaded: string[] = []
      const onProgress = (done: number, total: number) => loaded.push(`${done}/${total}`)
      await loadKeyFolder(engine, folder, { plan, onProgress })
      expect(loaded).toEqual(made)
      expect(engine.loadedKeys).toEqual(request)
      expect(engine.keyId).toBe(key.keyId)
      const values = randomValues(512, 1)
      const x = await engine.importCiphertext(await client.encrypt(key, [{ values }], { level: 2 }))
      const turned = engine.rotate(engine.relinearize(engine.modRaise(engine.dropLevel(x, 0), 2)), 4)
      const [got] = await client.decrypt(key, await engine.exportCiphertext(engine.dropLevel(turned, 0)))
      const want = { re: values.map((_, i) => values[(i + 4) % 512]!), im: new Float64Array(512) }
      expect(precisionBits(got!, want)).toBeGreaterThan(18)
    })
  })

  it('is loaded by its manifest too, and public keys in it are passed over', async () => {
    const folder = await written()
    const publicKey = await client.generatePublicKey(key)
    await writeFile(join(folder, 'public.key'), publicKey)
    const { header } = parseContainer(await readFile(join(folder, KEY_SET_FILE)), { kind: 'keySet', parameters })
    const entry = { file: 'public.key', kind: 'publicKey', level: 3, bytes: publicKey.length, sha256: '00'.repeat(32) }
    const { segments: _, ...rest } = header
    const manifest = encodeContainer({ ...rest, keys: [entry, ...header.keys] } as HeaderInput, [], parameters)
    await writeFile(join(folder, 'other.manifest'), manifest)
    await withEngine(async (engine) => {
      await loadKeyFolder(engine, join(folder, 'other.manifest'))
      expect(engine.loadedKeys).toEqual(request)
    })
  })

  it('may be empty', async () => {
    const folder = newFolder()
    expect(await writeKeyFolder(client, key, { rotations: [] }, folder)).toEqual({ keys: 0, reused: 0, bytes: 0 })
    await withEngine(async (engine) => {
      await loadKeyFolder(engine, folder)
      expect(engine.loadedKeys).toEqual({ rotations: [] })
    })
  })
})

describe('writing', () => {
  it('goes on where it was cancelled, without making anything twice', async () => {
    const folder = newFolder()
    const controller = new AbortController()
    const { signal } = controller
    const onProgress = (done: number) => done === 2 && controller.abort()
    await expect(writeKeyFolder(client, key, request, folder, { plan, signal, onProgress })).rejects.toThrow(
      CancelledError,
    )
    const before = await inodes(folder)
    expect(before.size).toBeGreaterThanOrEqual(2)
    expect(before.size).toBeLessThan(5)
    expect(before.has(KEY_SET_FILE)).toBe(false)
    await withEngine((engine) => expect(loadKeyFolder(engine, folder)).rejects.toThrow(MissingKeyError))
    const result = await writeKeyFolder(client, key, request, folder, { plan })
    expect(result).toMatchObject({ keys: 5, reused: before.size })
    const after = await inodes(folder)
    for (const [file, inode] of before) expect(after.get(file)).toBe(inode)
    await withEngine(async (engine) => void (await loadKeyFolder(engine, folder)))
    expect(await writeKeyFolder(client, key, request, folder, { plan })).toEqual({ ...result, reused: 5 })
  })

  it('keeps no file that is cut, damaged, or another key', async () => {
    const folder = await written()
    await truncate(join(folder, 'relinearization.key'), 5000)
    const damaged = await readFile(join(folder, 'galois-5.key'))
    damaged[9000]! ^= 1
    await writeFile(join(folder, 'galois-5.key'), damaged)
    await copyFile(join(folder, fourFile), join(folder, 'galois-2047.key'))
    expect(await writeKeyFolder(client, key, request, folder, { plan })).toMatchObject({ reused: 2 })
    await withEngine(async (engine) => void (await loadKeyFolder(engine, folder)))
    const higher = { ...request, rotations: rotationKeys([1, 4], 3) }
    expect(await writeKeyFolder(client, key, higher, folder, { plan })).toMatchObject({ reused: 3 })
    expect(await writeKeyFolder(client, key, higher, folder)).toMatchObject({ reused: 0 })
    const other = await client.generateSecretKey()
    expect(await writeKeyFolder(client, other, higher, folder)).toMatchObject({ reused: 0 })
    await withEngine(async (engine) => {
      await loadKeyFolder(engine, folder)
      expect(engine.keyId).toBe(other.keyId)
    })
  })

  it('stops at once when it was cancelled before', async () => {
    const options = { signal: AbortSignal.abort() }
    await expect(writeKeyFolder(client, key, request, newFolder(), options)).rejects.toThrow(CancelledError)
  })

  it('leaves the key that failed, and the manifest, away', async () => {
    const folder = newFolder()
    const generate = client.generateEvaluationKeys.bind(client)
    const failing = vi.spyOn(client, 'generateEvaluationKeys').mockImplementation(async function* (...given) {
      for await (const made of generate(...given)) {
        yield made
        throw new Error('no more')
      }
    })
    await expect(writeKeyFolder(client, key, request, folder)).rejects.toThrow('no more')
    failing.mockRestore()
    expect(await list(folder)).toEqual(['relinearization.key'])
    expect(await writeKeyFolder(client, key, request, folder)).toMatchObject({ keys: 5, reused: 1 })
  })
})

describe('loading refuses', () => {
  it('a listed file that is not there', async () => {
    const folder = await written()
    await unlink(join(folder, 'galois-5.key'))
    await withEngine(async (engine) => {
      await expect(loadKeyFolder(engine, folder)).rejects.toThrow(MissingKeyError)
      await expect(loadKeyFolder(engine, folder)).rejects.toThrow(/galois-5\.key is missing, though/)
    })
  })

  it.each<[string, (folder: string) => Promise<unknown>, RegExp]>([
    ['a cut file', (folder) => truncate(join(folder, 'galois-5.key'), 4096), /galois-5\.key: .* got 4096/],
    [
      'another whole file of the same size',
      async (folder) => {
        // 9 takes as few bytes in the header as 5
        const steps = Array.from({ length: 511 }, (_, i) => i + 1).find((s) => galoisElement(s, 10) === 9)!
        const other = newFolder()
        await writeKeyFolder(client, key, { rotations: rotationKeys([steps], 2) }, other, { plan })
        await copyFile(join(other, 'galois-9.key'), join(folder, 'galois-5.key'))
      },
      /galois-5\.key: another level, Galois element/,
    ],
    [
      'a file that was changed together with its checksum',
      async (folder) => {
        const bytes = new Uint8Array(await readFile(join(folder, 'galois-5.key')))
        bytes[9000]! ^= 1
        bytes.set(sha256(bytes.subarray(0, -32)), bytes.length - 32)
        await writeFile(join(folder, 'galois-5.key'), bytes)
      },
      /galois-5\.key: expected the SHA-256/,
    ],
    [
      'a damaged file',
      async (folder) => {
        const bytes = await readFile(join(folder, 'encapsulation.key'))
        bytes[bytes.length - 100]! ^= 1
        await writeFile(join(folder, 'encapsulation.key'), bytes)
      },
      /encapsulation\.key: .*checksum/,
    ],
  ])('%s', async (_, spoil, message) => {
    const folder = await written()
    await spoil(folder)
    await withEngine(async (engine) => {
      await expect(loadKeyFolder(engine, folder)).rejects.toThrow(FormatError)
      await expect(loadKeyFolder(engine, folder)).rejects.toThrow(message)
    })
  })

  it('files that are cut while others are being loaded, and the process lives on', async () => {
    const folder = await written()
    await withEngine(async (engine) => {
      const cut = async () => truncate(join(folder, 'encapsulation.key'), 100)
      let cutting: Promise<void> | undefined
      const onProgress = () => {
        cutting ??= cut()
      }
      await expect(loadKeyFolder(engine, folder, { onProgress })).rejects.toThrow(/encapsulation\.key/)
      await cutting
      expect(engine.loadedKeys).toEqual({ rotations: [] })
      await engine.drain()
    })
  })

  it('residues that are none, though every hash is right', async () => {
    const folder = await written()
    const name = 'galois-5.key'
    const bytes = new Uint8Array(await readFile(join(folder, name)))
    bytes.fill(255, 9000, 9012)
    bytes.set(sha256(bytes.subarray(0, -32)), bytes.length - 32)
    await writeFile(join(folder, name), bytes)
    const manifest = parseContainer(await readFile(join(folder, KEY_SET_FILE)), { kind: 'keySet', parameters })
    const { segments: _, ...header } = manifest.header
    const hash = Buffer.from(sha256(bytes)).toString('hex')
    const keys = header.keys.map((k) => (k.file === name ? { ...k, sha256: hash } : k))
    await writeFile(join(folder, KEY_SET_FILE), encodeContainer({ ...header, keys } as HeaderInput, [], parameters))
    await withEngine(async (engine) => {
      await expect(loadKeyFolder(engine, folder)).rejects.toThrow(/not below its prime/)
      expect(engine.loadedKeys.rotations.map((r) => r.steps)).not.toContain(1)
    })
  })

  it('keys that were not asked for are not looked at, whatever they are', async () => {
    const folder = await written()
    const manifest = parseContainer(await readFile(join(folder, KEY_SET_FILE)), { kind: 'keySet', parameters })
    const { segments: _, ...header } = manifest.header
    const extra = { kind: 'galoisKey', level: 3, bytes: 2 ** 39, sha256: '00'.repeat(32) } as const
    const keys = [
      { ...extra, file: 'pipe.key', galoisElement: 7 },
      { ...extra, file: 'none.key', galoisElement: 9 },
      ...header.keys,
    ]
    spawnSync('mkfifo', [join(folder, 'pipe.key')])
    await writeFile(join(folder, KEY_SET_FILE), encodeContainer({ ...header, keys } as HeaderInput, [], parameters))
    await withEngine(async (engine) => {
      await loadKeyFolder(engine, folder, { request })
      expect(engine.loadedKeys).toEqual(request)
      const part = { rotations: rotationKeys([4], 2) }
      engine.unloadKeys()
      await loadKeyFolder(engine, folder, { request: part })
      expect(engine.loadedKeys).toEqual(part)
      const missing = { rotations: rotationKeys([8], 2) }
      await expect(loadKeyFolder(engine, folder, { request: missing })).rejects.toThrow(MissingKeyError)
      // all that is listed: the sizes are judged before a byte is allocated for them
      await expect(loadKeyFolder(engine, folder)).rejects.toThrow(/such a key has at most/)
    })
  })

  it('pipes and links in the place of keys', async () => {
    for (const spoil of [
      (path: string) => spawnSync('mkfifo', [path]),
      (path: string) => symlink('relinearization.key', path),
    ]) {
      const folder = await written()
      const path = join(folder, 'galois-5.key')
      await rm(path)
      await spoil(path)
      await withEngine((engine) =>
        expect(loadKeyFolder(engine, folder)).rejects.toThrow(/galois-5\.key: expected an ordinary file/),
      )
    }
  })

  it('other plans, parameters and secret keys', async () => {
    const folder = await written()
    await withEngine(async (engine) => {
      await expect(loadKeyFolder(engine, folder, { plan: '00'.repeat(32) })).rejects.toThrow(ParameterMismatchError)
      const other = await client.generateSecretKey()
      const theirs = newFolder()
      await writeKeyFolder(client, other, { rotations: rotationKeys([1], 0) }, theirs)
      await loadKeyFolder(engine, theirs)
      await expect(loadKeyFolder(engine, folder)).rejects.toThrow(/unloadKeys/)
      engine.unloadKeys()
      await loadKeyFolder(engine, folder)
    })
    const strange = createNativeEngine(insecureParametersWithFiles({ logN: 10, levels: 1, scaleBits: 30 }))
    await expect(loadKeyFolder(strange, folder)).rejects.toThrow(ParameterMismatchError)
    await strange.dispose()
  })

  it('folders without a manifest and paths that lead nowhere', async () => {
    await withEngine(async (engine) => {
      await expect(loadKeyFolder(engine, root)).rejects.toThrow(MissingKeyError)
      await expect(loadKeyFolder(engine, join(root, 'nowhere'))).rejects.toThrow(/ENOENT/)
    })
  })

  it('to go on once it is cancelled; nothing stays loaded', async () => {
    const folder = await written()
    await withEngine(async (engine) => {
      const controller = new AbortController()
      const { signal } = controller
      const onProgress = () => controller.abort()
      await expect(loadKeyFolder(engine, folder, { signal, onProgress })).rejects.toThrow(CancelledError)
      expect(engine.loadedKeys).toEqual({ rotations: [] })
      await loadKeyFolder(engine, folder)
      expect(engine.loadedKeys).toEqual(request)
    })
  })
})
