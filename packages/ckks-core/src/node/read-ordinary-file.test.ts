import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, open, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FileSystemError, FormatError, InvalidArgumentError } from '../errors/errors.ts'
import { openContainerFile, readContainerFile } from './container-file.ts'
import { openOrdinaryFile, ordinaryFileSize, readOrdinaryFile } from './read-ordinary-file.ts'

let folder = ''
const at = (name: string) => join(folder, name)
const server = createServer()

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'he-ml-ordinary-'))
  await writeFile(at('file'), Uint8Array.of(1, 2, 3))
  await mkdir(at('folder'))
  await symlink('file', at('link'))
  await symlink('pipe', at('linkToPipe'))
  // a file of 8 TiB that takes no room
  await writeFile(at('huge'), '')
  await truncate(at('huge'), 2 ** 43)
  expect(spawnSync('mkfifo', [at('pipe')]).status).toBe(0)
  await new Promise<void>((done) => server.listen(at('socket'), done))
})
afterAll(async () => {
  server.close()
  await rm(folder, { recursive: true })
})

const readers = [
  ['readOrdinaryFile', (path: string) => readOrdinaryFile(path, { maxBytes: 100 })],
  ['openOrdinaryFile', (path: string) => openOrdinaryFile(path)],
  ['ordinaryFileSize', (path: string) => ordinaryFileSize(path)],
  ['openContainerFile', (path: string) => openContainerFile(path)],
  ['readContainerFile', (path: string) => readContainerFile(path)],
] as const

describe.each(readers)('%s', (_, read) => {
  // each of these would wait for a writer, or for ever
  it.each([
    ['pipe', /pipe: expected an ordinary file, got a named pipe/],
    ['linkToPipe', /linkToPipe: expected an ordinary file, got a named pipe/],
    ['socket', /socket: expected an ordinary file, got a socket/],
  ])('refuses %s by name and does not wait', async (name, says) => {
    await expect(read(at(name))).rejects.toThrow(InvalidArgumentError)
    await expect(read(at(name))).rejects.toThrow(says)
  })

  it('refuses devices and folders', async () => {
    await expect(read('/dev/zero')).rejects.toThrow(/\/dev\/zero: expected an ordinary file, got a device/)
    await expect(read(folder)).rejects.toThrow(FileSystemError)
    await expect(read(folder)).rejects.toMatchObject({ systemCode: 'EISDIR', path: folder })
    await expect(read(at('none'))).rejects.toMatchObject({ systemCode: 'ENOENT', path: at('none') })
  })
})

describe('readOrdinaryFile', () => {
  it('gives the bytes, through a link too, in memory of their own', async () => {
    for (const name of ['file', 'link']) {
      const bytes = await readOrdinaryFile(at(name), { maxBytes: 3 })
      expect([...bytes]).toEqual([1, 2, 3])
      expect(bytes.buffer.byteLength).toBe(3)
    }
    await writeFile(at('empty'), '')
    expect(await readOrdinaryFile(at('empty'), { maxBytes: 0 })).toHaveLength(0)
  })

  it('refuses links where the name came from outside', async () => {
    const options = { maxBytes: 100, links: 'refuse' } as const
    await expect(readOrdinaryFile(at('link'), options)).rejects.toThrow(/got a symbolic link/)
    await expect(ordinaryFileSize(at('link'), options)).rejects.toThrow(InvalidArgumentError)
    await expect(readContainerFile(at('link'), {}, options)).rejects.toThrow(/got a symbolic link/)
  })

  it('judges the size before it allocates', async () => {
    await expect(readOrdinaryFile(at('huge'), { maxBytes: 100, what: 'a plan' })).rejects.toThrow(FormatError)
    await expect(readOrdinaryFile(at('huge'), { maxBytes: 100, what: 'a plan' })).rejects.toThrow(
      /huge: a plan has at most 100 bytes here, this file has 8796093022208/,
    )
    await expect(readOrdinaryFile(at('file'), { maxBytes: 2 })).rejects.toThrow(/at most 2 bytes/)
  })

  it('says so when the file is cut while it is read', async () => {
    const path = at('shrinking')
    await writeFile(path, new Uint8Array(64))
    const probe = await open(path)
    await probe.close()
    const prototype = Object.getPrototypeOf(probe)
    const { stat } = prototype
    prototype.stat = async function (this: unknown, ...args: unknown[]) {
      const found = await stat.apply(this, args)
      await truncate(path, 10)
      return found
    }
    try {
      await expect(readOrdinaryFile(path, { maxBytes: 100 })).rejects.toThrow(/ended at byte 10 of 64/)
    } finally {
      prototype.stat = stat
    }
  })
})
