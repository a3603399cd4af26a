import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FormatError } from '@he-ml/ckks-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { network } from '../cli.test-helper.ts'
import { parseModel, readModel } from './model-file.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'he-ml-model-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe('readModel', () => {
  it('has one limit of size, that of ONNX, and judges it before it reads', async () => {
    const path = join(folder, 'large.onnx')
    await writeFile(path, '')
    // takes no room on the disk, and would take two gigabytes in memory
    await truncate(path, 2 ** 31)
    const said = await readModel(path).catch((error: unknown) => error)
    expect(said).toBeInstanceOf(FormatError)
    expect(String(said)).toMatch(/large\.onnx: a model has at most 2147483647 bytes here, this file has 2147483648/)
  })

  it('hands the importer whatever the file may have: nobody at a command line can raise another limit', async () => {
    // more than the importer takes when nothing is said; zeros that nobody wrote or reads are no memory, and no model
    const zeros = new Uint8Array(2 ** 29 + 1)
    await expect(parseModel(zeros, 'zeros')).rejects.toThrow(/ONNX: not a well-formed model/)
  })

  it('judges a file by its content, whatever its name', async () => {
    const path = join(folder, 'net.pt')
    await writeFile(path, network({ size: 6, channels: 1, blocks: 1 }))
    expect((await readModel(path)).input.shape).toEqual([1, 6, 6])
    await writeFile(join(folder, 'text.onnx'), 'no model')
    await expect(readModel(join(folder, 'text.onnx'))).rejects.toThrow(FormatError)
  })
})
