import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FormatError } from '@he-ml/ckks-core'
import { afterAll, describe, expect, it } from 'vitest'
import { createNetwork } from '../network/network.ts'
import { normals } from '../testing.test-helper.ts'
import { toyDigits, toyNetwork, toyRecipe } from '../training/toy-digits.test-helper.ts'
import { train } from '../training/train.ts'
import { checkpointFile } from './checkpoint-file.ts'
import { loadModel, saveModel } from './model-on-disk.ts'

const folder = mkdtempSync(join(tmpdir(), 'snn-training-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('on disk', () => {
  it('a model comes back, and is refused with the weights of another', async () => {
    const [one, two] = [join(folder, 'one'), join(folder, 'two')]
    await saveModel(one, createNetwork(toyNetwork(), { seed: 1 }), { accuracy: 0.9 })
    await saveModel(two, createNetwork(toyNetwork(), { seed: 2 }))
    const { network, about } = await loadModel(one)
    expect(about).toEqual({ accuracy: 0.9 })
    const input = { data: Float32Array.from(normals(64, 1)), steps: 1, batch: 1, shape: [1, 8, 8] }
    const scores = (await network.forward(input)).data
    expect(scores.length).toBe(30)
    await saveModel(one, network)
    expect((await (await loadModel(one)).network.forward(input)).data).toEqual(scores)
    await saveModel(two, network)
    const other = createNetwork(toyNetwork(), { seed: 3 })
    await saveModel(join(folder, 'three'), other)
    writeFileSync(`${two}.safetensors`, readFileSync(join(folder, 'three.safetensors')))
    await expect(loadModel(two)).rejects.toThrow(FormatError)
    await expect(loadModel(join(folder, 'none'))).rejects.toThrow(/ENOENT/)
  })

  it('a finished run with a patience resumes to its best weights', async () => {
    const file = checkpointFile(join(folder, 'checkpoint.safetensors'))
    expect(await file.read()).toBe(undefined)
    const options = {
      data: toyDigits(100, 1),
      validation: toyDigits(40, 2),
      recipe: { ...toyRecipe, epochs: 6, patience: 1, schedule: { learningRate: 0.5, lowest: 0.5 } },
    }
    const network = createNetwork(toyNetwork(), { seed: 3 })
    const result = await train(network, { ...options, checkpoint: { write: file.write } })
    const again = createNetwork(toyNetwork(), { seed: 4 })
    expect(await train(again, { ...options, resume: (await file.read())! })).toEqual(result)
    expect(again.state.map(({ value }) => value)).toEqual(network.state.map(({ value }) => value))
  })
})
