import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FormatError } from '@he-ml/ckks-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { network } from '../cli.test-helper.ts'
import { readModel } from './model-file.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'he-ml-model-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe('readModel', () => {
  it('has one limit of size, that of ONNX: nobody at a command line can raise another', async () => {
    const path = join(folder, 'large.onnx')
    await writeFile(path, '')
    // more than the importer takes when nothing is said; zeros are no model
    await truncate(path, 2 ** 29 + 1)
    const said = await readModel(path).catch((error: unknown) => error)
    expect(said).toBeInstanceOf(FormatError)
    expect(String(said)).toMatch(/large\.onnx: ONNX: not a well-formed model/)
  })

  it('judges a file by its content, whatever its name', async () => {
    const path = join(folder, 'net.pt')
    await writeFile(path, network({ size: 6, channels: 1, blocks: 1 }))
    expect((await readModel(path)).input.shape).toEqual([1, 6, 6])
    await writeFile(join(folder, 'text.onnx'), 'no model')
    await expect(readModel(join(folder, 'text.onnx'))).rejects.toThrow(FormatError)
  })
})
