import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  encodeContainer,
  FormatError,
  InvalidArgumentError,
  type KeyFileEntry,
  MissingKeyError,
  recommendedParameters,
  UnsupportedError,
  type WantedKeyFile,
} from '@he-ml/ckks-core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { chooseKeyFiles, readKeyFolder, readManifest } from './key-folder.ts'

const parameters = recommendedParameters('N12-L1')
const plan = 'ab'.repeat(32)
const keyId = 'cd'.repeat(16)
const wanted: WantedKeyFile[] = [{ kind: 'relinearizationKey', level: 1, maxBytes: 1000 }]

let folder = ''
const at = (name: string) => join(folder, name)
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'he-ml-keys-'))
})
afterEach(() => rm(folder, { recursive: true }))

const content = new Uint8Array(100).fill(7)
const hash = createHash('sha256').update(content).digest('hex')
const relin: KeyFileEntry = { file: 'r.key', kind: 'relinearizationKey', level: 1, bytes: 100, sha256: hash }
const galois = (file: string, galoisElement: number, bytes: number): KeyFileEntry => ({
  ...relin,
  file,
  kind: 'galoisKey',
  galoisElement,
  bytes,
})

async function manifest(keys: KeyFileEntry[], ids: object = { plan, keyId }) {
  const header = { kind: 'keySet', parameters: parameters.id, ...ids, keys } as const
  await writeFile(at('keys.manifest'), encodeContainer(header, [], parameters))
  return readManifest(folder, parameters, plan)
}
const choose = async (keys: KeyFileEntry[]) => chooseKeyFiles(folder, await manifest(keys), wanted)

async function read(entries: readonly KeyFileEntry[]): Promise<string[]> {
  const names: string[] = []
  for await (const { entry, bytes } of readKeyFolder(folder, entries)) {
    expect(bytes).toEqual(content)
    names.push(entry.file)
  }
  return names
}

describe('a key folder from outside', () => {
  it('gives the keys of the plan; thousands of others, pipes and terabytes among them, are not even looked at', async () => {
    await writeFile(at('r.key'), content)
    spawnSync('mkfifo', [at('pipe.key')])
    await writeFile(at('huge.key'), '')
    await truncate(at('huge.key'), 2 ** 40)
    const extra = Array.from({ length: 2000 }, (_, i) => galois(`none-${i}.key`, 2 * i + 9, 2 ** 40))
    const chosen = await choose([galois('pipe.key', 5, 100), galois('huge.key', 7, 2 ** 40), ...extra, relin])
    expect(chosen).toEqual([relin])
    expect(await read(chosen)).toEqual(['r.key'])
  })

  it('is refused when a wanted key is a pipe, a link or a folder, at once', async () => {
    spawnSync('mkfifo', [at('r.key')])
    await expect(choose([relin])).rejects.toThrow(InvalidArgumentError)
    await expect(choose([relin])).rejects.toThrow(/r\.key: expected an ordinary file, got a named pipe/)
    await rm(at('r.key'))
    await writeFile(at('elsewhere'), content)
    await symlink('elsewhere', at('r.key'))
    await expect(choose([relin])).rejects.toThrow(/got a symbolic link/)
    await rm(at('r.key'))
    await symlink('/dev/zero', at('r.key'))
    await expect(choose([relin])).rejects.toThrow(/got a symbolic link/)
  })

  it('is refused for sizes that are not those listed, or that no such key has, before anything is read', async () => {
    await writeFile(at('r.key'), '')
    await truncate(at('r.key'), 2 ** 42)
    await expect(choose([relin])).rejects.toThrow(/not the file that the manifest lists/)
    await expect(choose([{ ...relin, bytes: 2 ** 40 }])).rejects.toThrow(FormatError)
    await expect(choose([{ ...relin, bytes: 1001 }])).rejects.toThrow(/listed with 1001 bytes, .* at most 1000/)
    // exchanged between the judgement and the reading
    await rm(at('r.key'))
    await writeFile(at('r.key'), content)
    const chosen = await choose([relin])
    await rm(at('r.key'))
    spawnSync('mkfifo', [at('r.key')])
    await expect(read(chosen)).rejects.toThrow(/named pipe/)
    await rm(at('r.key'))
    await writeFile(at('r.key'), '')
    await truncate(at('r.key'), 2 ** 42)
    await expect(read(chosen)).rejects.toThrow(FormatError)
  })

  it('is refused when a key of the plan is not listed, not there, or listed twice', async () => {
    await expect(choose([galois('g.key', 5, 100)])).rejects.toThrow(MissingKeyError)
    await expect(choose([relin])).rejects.toThrow(/r\.key is missing, though the manifest lists it/)
    await expect(choose([relin, { ...relin, file: 'again.key' }])).rejects.toThrow(/listed 2 times/)
  })

  it('is refused without the name of its secret key, and when the manifest is a pipe or a link', async () => {
    await expect(manifest([relin], { plan })).rejects.toThrow(UnsupportedError)
    await rm(at('keys.manifest'))
    spawnSync('mkfifo', [at('keys.manifest')])
    await expect(readManifest(folder, parameters, plan)).rejects.toThrow(/named pipe/)
    await rm(at('keys.manifest'))
    await symlink('/etc/hostname', at('keys.manifest'))
    await expect(readManifest(folder, parameters, plan)).rejects.toThrow(/symbolic link/)
    await rm(at('keys.manifest'))
    await expect(readManifest(folder, parameters, plan)).rejects.toThrow(MissingKeyError)
  })
})
