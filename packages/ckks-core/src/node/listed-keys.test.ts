import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  CancelledError,
  FileSystemError,
  FormatError,
  InvalidArgumentError,
  MissingKeyError,
  ParameterMismatchError,
} from '../errors/errors.ts'
import { encodeContainer } from '../format/container.ts'
import type { EvaluationKeyEntry, KeyFileEntry } from '../format/header.ts'
import type { WantedKeyFile } from '../format/select-key-files.ts'
import { sampleParameters as parameters, sampleFile, samples } from '../format/testing/samples.ts'
import { insecureParametersWithFiles } from '../parameters/create-parameters.ts'
import { writeKeySet } from './key-set-file.ts'
import { listKeys, readListedFile, readListedKey } from './listed-keys.ts'

const plan = 'ab'.repeat(32)
const keyId = 'cd'.repeat(16)
const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

const relinFile = sampleFile('relinearizationKey')
const galoisFile = sampleFile('galoisKey')
const relin = {
  ...{ file: 'r.key', kind: 'relinearizationKey', level: 1, bytes: relinFile.length, sha256: hashOf(relinFile) },
} as const satisfies EvaluationKeyEntry
const galois = (file: string, galoisElement: number, bytes: number, sha256 = '00'.repeat(32)): EvaluationKeyEntry => ({
  ...{ file, kind: 'galoisKey', level: 0, galoisElement, bytes, sha256 },
})
const five = galois('g.key', 5, galoisFile.length, hashOf(galoisFile))
const wanted: WantedKeyFile[] = [{ kind: 'relinearizationKey', level: 1, maxBytes: relinFile.length + 100 }]
const most = () => 2 ** 20

let folder = ''
const at = (name: string) => join(folder, name)
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'he-ml-keys-'))
})
afterEach(() => rm(folder, { recursive: true }))

/** A folder with this manifest and both key files. */
async function written(keys: readonly KeyFileEntry[], ids: object = { plan, keyId }): Promise<void> {
  await writeFile(at('r.key'), relinFile)
  await writeFile(at('g.key'), galoisFile)
  await writeKeySet(folder, parameters, ids, keys)
}
const names = async (which: Parameters<typeof listKeys>[2] = wanted) =>
  (await listKeys(folder, parameters, which, plan)).entries.map(({ file }) => file)

describe('the list', () => {
  it('is of the wanted keys; a thousand others, pipes and terabytes among them, are not even looked at', async () => {
    spawnSync('mkfifo', [at('pipe.key')])
    await writeFile(at('huge.key'), '')
    await truncate(at('huge.key'), 2 ** 40)
    const extra = Array.from({ length: 1000 }, (_, i) => galois(`none-${i}.key`, 2 * i + 9, 2 ** 40))
    await written([galois('pipe.key', 5, 100), galois('huge.key', 7, 2 ** 40), ...extra, relin])
    expect(await listKeys(folder, parameters, wanted, plan)).toEqual({ folder, keyId, plan, entries: [relin] })
  })

  it('is of every evaluation key otherwise, none larger than it can be', async () => {
    const publicKey = { ...relin, file: 'p.key', kind: 'publicKey' } as const
    await written([five, publicKey, relin])
    expect(await names(most)).toEqual(['g.key', 'r.key'])
    expect(await names(({ bytes }) => bytes)).toEqual(['g.key', 'r.key'])
    await expect(names(({ bytes }) => bytes - 1)).rejects.toThrow(/g\.key is listed with \d+ bytes, such a key has at/)
    await expect(names(({ bytes }) => bytes - 1)).rejects.toThrow(FormatError)
  })

  it('is refused when a key is a pipe, a link or a folder, at once', async () => {
    await written([relin])
    for (const [spoil, message] of [
      [() => spawnSync('mkfifo', [at('r.key')]), /r\.key: expected an ordinary file, got a named pipe/],
      [() => symlink('g.key', at('r.key')), /got a symbolic link/],
      [() => symlink('/dev/zero', at('r.key')), /got a symbolic link/],
    ] as const) {
      await rm(at('r.key'))
      await spoil()
      await expect(names()).rejects.toThrow(InvalidArgumentError)
      await expect(names()).rejects.toThrow(message)
    }
  })

  it('is refused for sizes that are not those listed, or that no such key has', async () => {
    await written([relin])
    await truncate(at('r.key'), 2 ** 42)
    await expect(names()).rejects.toThrow(/the manifest lists \d+ bytes, got 4398046511104: copy the folder again/)
    await written([{ ...relin, bytes: 2 ** 40 }])
    await expect(names()).rejects.toThrow(/listed with 1099511627776 bytes, .* at most/)
  })

  it('is refused when a key is not listed, not there, or listed twice', async () => {
    await written([five])
    await expect(names()).rejects.toThrow(MissingKeyError)
    await written([relin])
    await rm(at('r.key'))
    await expect(names()).rejects.toThrow(MissingKeyError)
    await expect(names()).rejects.toThrow(/r\.key is missing, though the manifest lists it/)
    await written([relin, { ...relin, file: 'g.key' }])
    await expect(names()).rejects.toThrow(/listed 2 times/)
  })

  it('is refused when the manifest is missing, a pipe or a link, or for something else', async () => {
    await written([relin])
    await expect(listKeys(folder, parameters, wanted, '00'.repeat(32))).rejects.toThrow(ParameterMismatchError)
    const others = insecureParametersWithFiles({ logN: 10, levels: 1, scaleBits: 30 })
    await expect(listKeys(folder, others, wanted)).rejects.toThrow(ParameterMismatchError)
    await rm(at('keys.manifest'))
    await expect(names()).rejects.toThrow(/keys\.manifest is missing, so the keys are not complete/)
    await expect(names()).rejects.toThrow(MissingKeyError)
    spawnSync('mkfifo', [at('keys.manifest')])
    await expect(names()).rejects.toThrow(/named pipe/)
    await rm(at('keys.manifest'))
    await symlink('g.key', at('keys.manifest'))
    await expect(names()).rejects.toThrow(/symbolic link/)
    await expect(listKeys(at('nowhere'), parameters, wanted)).rejects.toThrow(FileSystemError)
  })
})

describe('a listed key', () => {
  const read = async (entry: EvaluationKeyEntry, options = {}) =>
    readListedKey(await listKeys(folder, parameters, most, plan), parameters, entry, options)

  it('is read into the buffer given, with its header', async () => {
    await written([relin, five])
    const buffer = new Uint8Array(relin.bytes)
    const { header, segments } = await read(relin, { buffer })
    expect(header).toMatchObject({ kind: 'relinearizationKey', level: 1, keyId, plan })
    expect(segments).toEqual(samples.relinearizationKey.segments)
    expect(segments[0]!.buffer).toBe(buffer.buffer)
    const small = await read(five, { buffer: new Uint8Array(10) })
    expect(small.segments).toEqual(samples.galoisKey.segments)
  })

  it('is refused when another file is in its place', async () => {
    await written([relin, five])
    // a whole file of the right size; then one with a bit flipped, and one that was changed together with its checksum
    await expect(read({ ...five, galoisElement: 7 })).rejects.toThrow(/another level, Galois element or size/)
    await expect(read({ ...relin, level: 0 })).rejects.toThrow(/another level, Galois element or size/)
    await expect(read({ ...relin, sha256: '00'.repeat(32) })).rejects.toThrow(/r\.key: expected the SHA-256 0000/)
    const flipped = relinFile.slice()
    flipped[flipped.length >> 1]! ^= 1
    await writeFile(at('r.key'), flipped)
    await expect(read(relin)).rejects.toThrow(/r\.key: at byte \d+: the checksum does not match/)
    const { header, segments } = samples.relinearizationKey
    const strange = encodeContainer({ ...header, keyId: '11'.repeat(16) } as typeof header, segments, parameters)
    await writeFile(at('r.key'), strange)
    await expect(read({ ...relin, sha256: hashOf(strange) })).rejects.toThrow(ParameterMismatchError)
  })

  it('is refused when it was exchanged or removed after it was listed', async () => {
    await written([relin])
    const listed = await listKeys(folder, parameters, wanted, plan)
    const later = () => readListedKey(listed, parameters, relin)
    await rm(at('r.key'))
    await expect(later()).rejects.toThrow(MissingKeyError)
    spawnSync('mkfifo', [at('r.key')])
    await expect(later()).rejects.toThrow(/named pipe/)
    await rm(at('r.key'))
    await writeFile(at('r.key'), '')
    await truncate(at('r.key'), 2 ** 42)
    await expect(later()).rejects.toThrow(FormatError)
  })
})

describe('a listed file of another format', () => {
  const content = new Uint8Array(5000).map((_, i) => i)
  const entry = galois('seal.key', 5, 5000, hashOf(content))
  const read = (options = {}) => readListedFile({ folder }, entry, options)

  it('is read whole, into the buffer given', async () => {
    await writeFile(at('seal.key'), content)
    expect(await read()).toEqual(content)
    const buffer = new Uint8Array(6000)
    expect(await read({ buffer })).toEqual(content)
    expect(buffer.subarray(0, 5000)).toEqual(content)
  })

  it('is refused when it is not the one listed, gone, or no file; stops when it is cancelled', async () => {
    await expect(read()).rejects.toThrow(MissingKeyError)
    await writeFile(at('seal.key'), content.subarray(1))
    await expect(read()).rejects.toThrow(/the manifest lists 5000 bytes, got 4999/)
    await writeFile(
      at('seal.key'),
      content.map((byte, i) => (i === 4000 ? byte ^ 1 : byte)),
    )
    await expect(read()).rejects.toThrow(/seal\.key: expected the SHA-256/)
    await expect(read({ signal: AbortSignal.abort() })).rejects.toThrow(CancelledError)
    await rm(at('seal.key'))
    await symlink('/dev/zero', at('seal.key'))
    await expect(read()).rejects.toThrow(/symbolic link/)
  })
})
