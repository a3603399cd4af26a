import { copyFile, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FormatError } from '@he-ml/ckks-core'
import type { Model } from '@he-ml/model'
import { SpikingLayer } from '@he-ml/snn-layers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { network } from '../cli.test-helper.ts'
import { parseModel, readModel, stepOf } from './model-file.ts'

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

  describe('reads a spiking network from its description, the weights beside it', () => {
    const models = new URL('../../../../examples/train-spiking-lenet5/models/', import.meta.url)
    const shipped = (name: string) => fileURLToPath(new URL(name, models))
    const steps = (model: Model) =>
      model.nodes.flatMap(({ layer }) => (layer instanceof SpikingLayer ? [layer.step.kind] : []))

    it.each([
      ['mnist-lif-t2-grid.json', undefined, 'functional'],
      ['mnist-lif-t2-grid.json', 'polynomial', 'polynomial'],
      ['mnist-lif-t2.json', undefined, 'polynomial'],
      ['mnist-lif-t2.json', 'functional', 'functional'],
    ] as const)('%s with the step %s: %s', async (name, choice, kind) => {
      expect(new Set(steps(await readModel(shipped(name), choice)))).toEqual(new Set([kind]))
    })

    it('names the file that is missing, or wrong', async () => {
      const path = join(folder, 'spiking.json')
      await copyFile(shipped('mnist-lif-t2.json'), path)
      await expect(readModel(path)).rejects.toThrow(/spiking\.safetensors/)
      await copyFile(shipped('mnist-lif-t4.safetensors'), join(folder, 'spiking.safetensors'))
      await expect(readModel(path)).rejects.toThrow(/spiking\.json: .*take both files from one model/)
      await writeFile(path, '{ "format": "another" }')
      await expect(readModel(path)).rejects.toThrow(FormatError)
      await writeFile(path, '{')
      await expect(readModel(path)).rejects.toThrow(FormatError)
    })

    it('says of weights that their description is wanted', async () => {
      await expect(readModel(shipped('mnist-lif-t2.safetensors'))).rejects.toThrow(
        /mnist-lif-t2\.safetensors: holds weights alone .* beside it, .*mnist-lif-t2\.json/,
      )
    })
    it('knows the step of a plan', () => {
      expect([stepOf({}), stepOf({ functional: { circuits: [] } })]).toEqual(['polynomial', 'functional'])
    })
  })
})
