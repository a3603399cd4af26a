import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FileSystemError, HeMlError, InvalidArgumentError, UnsupportedError } from '@he-ml/ckks-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { importNir } from './nir/nir.ts'
import { importOnnx, parseOnnx } from './onnx/import-onnx.ts'
import { readBytes } from './read-bytes.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'he-ml-bytes-'))
})
afterAll(() => rm(folder, { recursive: true }))

const importers = [
  ['importOnnx', importOnnx],
  ['importNir', importNir],
] as const

describe('a size limit is not a broken file', () => {
  it('is kept to the byte, for paths and for bytes', async () => {
    const path = join(folder, 'model')
    await writeFile(path, Uint8Array.of(1, 2, 3))
    for (const source of [path, Uint8Array.of(1, 2, 3)]) {
      expect([...(await readBytes(source, 3))]).toEqual([1, 2, 3])
      const refused = readBytes(source, 2)
      await expect(refused).rejects.toThrow(UnsupportedError)
      await expect(refused).rejects.toThrow(/3 bytes, the limit is 2: raise maxBytes/)
    }
    await expect(readBytes(path, 2)).rejects.toThrow(path)
  })

  it.each(importers)('%s says so', async (_, read) => {
    const path = join(folder, 'large')
    await writeFile(path, new Uint8Array(101))
    for (const source of [path, new Uint8Array(101)])
      await expect(read(source, { maxBytes: 100 })).rejects.toThrow(UnsupportedError)
  })

  it('parseOnnx says so', () => {
    expect(() => parseOnnx(new Uint8Array(101), { maxBytes: 100 })).toThrow(UnsupportedError)
  })
})

describe('paths that cannot be read', () => {
  it.each(importers)('%s names them', async (_, read) => {
    for (const [path, systemCode] of [
      [join(folder, 'none'), 'ENOENT'],
      [folder, 'EISDIR'],
    ] as const) {
      const error = await Promise.resolve(read(path)).catch((failure: unknown) => failure)
      expect(error).toBeInstanceOf(FileSystemError)
      expect(error).toMatchObject({ path, systemCode })
    }
  })

  it.runIf(process.platform !== 'win32').each(importers)('%s does not wait for a pipe', async (_, read) => {
    const pipe = join(folder, `pipe-${read.name}`)
    execFileSync('mkfifo', [pipe])
    await expect(read(pipe)).rejects.toThrow(InvalidArgumentError)
  })
})

describe('a broken model file', () => {
  it.each([
    ['ONNX', 'net.onnx', importOnnx],
    ['NIR', 'net.nir', importNir],
  ] as const)('is named by its path: %s', async (_, name, read) => {
    const folder = await mkdtemp(join(tmpdir(), 'he-ml-models-'))
    try {
      const path = join(folder, name)
      await writeFile(path, 'no model at all')
      const error = await read(path).then(
        () => expect.unreachable(path),
        (e) => e,
      )
      expect(error).toBeInstanceOf(HeMlError)
      expect(error.message).toMatch(new RegExp(`^${path}: `))
      expect(error.message.split(path)).toHaveLength(2)
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
