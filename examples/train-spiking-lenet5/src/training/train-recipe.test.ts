import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CancelledError, FormatError, InvalidArgumentError } from '@he-ml/ckks-core'
import { loadModel } from '@he-ml/snn-training/node'
import { afterAll, describe, expect, it } from 'vitest'
import { openKernels } from '../kernels.ts'
import { type Recipe, recipeNamed } from '../recipes/index.ts'
import { listeningShow } from '../testing/listening-show.test-helper.ts'
import { toyMnist } from '../testing/toy-mnist.test-helper.ts'
import { factsSchema } from './facts.ts'
import { trainRecipe } from './train-recipe.ts'

const data = toyMnist(240, 60)
const out = mkdtempSync(join(tmpdir(), 'train-recipe-'))
afterAll(async () => {
  await kernels[Symbol.asyncDispose]()
  for (const folder of [data, out]) rmSync(folder, { recursive: true })
})

const kernels = openKernels({ threads: 2, onNotice: console.warn })
/** A recipe for a few seconds. */
const short = (name: string, learningRate: number, epochs: number): Recipe => {
  const recipe = recipeNamed(name)
  const schedule = { learningRate, warmupSteps: 4 }
  return { ...recipe, training: { ...recipe.training, epochs, batchSize: 16, schedule } }
}
const lif = short('mnist-lif-t2', 0.01, 5)
const base = { data, kernels, date: '2026-01-02' }

describe('trainRecipe', () => {
  it('makes a model that knows its digits, says how it was made, and is drawn', async () => {
    const { show, lines, notices } = listeningShow()
    const { path, test, result } = await trainRecipe(lif, { ...base, out, show })
    expect(notices).toEqual([])
    expect(test.accuracy).toBeGreaterThan(0.8)
    expect(result.history.map(({ validation }) => validation?.count)).toEqual([48, 48, 48, 48, 48])
    const { network, about } = await loadModel(path)
    expect(network.description.layers.some(({ kind }) => kind === 'tdBatchNorm')).toBe(false)
    expect(factsSchema.parse(about)).toMatchObject({
      recipe: 'mnist-lif-t2',
      trainingSamples: 192,
      validationSamples: 48,
      epochs: 5,
      seed: 1,
      testSamples: 60,
      testCorrect: test.correct,
      date: '2026-01-02',
    })
    const folder = join(out, 'mnist-lif-t2')
    for (const name of ['learning-curves', 'windows', 'traces', 'raster'])
      expect(readFileSync(join(folder, `${name}.svg`), 'utf8').slice(0, 4)).toBe('<svg')
    expect(JSON.parse(readFileSync(join(folder, 'history.json'), 'utf8'))).toEqual(result.history)
    expect(lines.join('\n')).toMatch(/192 samples to train on, 48 to watch, 60 to judge by; .*\ntest: /)
    await expect(trainRecipe(lif, { ...base, out, show })).rejects.toThrow(/--resume/)
  })

  it('puts a model on grids and trains on from there', async () => {
    const { show } = listeningShow()
    const recipe = short('mnist-lif-t2-grid', 0.001, 2)
    const { path, test } = await trainRecipe(recipe, { ...base, out, show })
    if (recipe.start.kind !== 'grids') throw new Error('expected a recipe on grids')
    for (const { grid } of test.layers) expect(grid).toMatchObject({ ...recipe.start.grid, onGrid: 1 })
    expect(test.accuracy).toBeGreaterThan(0.5)
    const { network, about } = await loadModel(path)
    expect(about.from).toBe('mnist-lif-t2')
    expect(network.description.inputGrid).toEqual(recipe.start.inputGrid)
    expect(about.gridClipped).toBe(Math.max(...test.layers.map(({ grid }) => grid!.clipped)))
    expect(about.gridEnds).toBe(Math.max(...test.layers.map(({ grid }) => grid!.atEnds)))
    for (const layer of network.description.layers) if (layer.kind === 'conv2d') expect(layer.weightGrid).toBeDefined()
  })

  it('says what is missing when there is no model to start from, or one for other data', async () => {
    const options = { ...base, out: join(out, 'other'), show: listeningShow().show }
    const grid = short('mnist-qif-t4-grid', 0.001, 1)
    const from = join(out, 'mnist-lif-t2', 'mnist-lif-t2')
    await expect(
      trainRecipe({ ...grid, start: { ...grid.start, from: 'none' } as Recipe['start'] }, options),
    ).rejects.toThrow(InvalidArgumentError)
    await expect(trainRecipe(short('nmnist-lif-t5-grid', 0.001, 1), { ...options, from })).rejects.toThrow(FormatError)
  })

  it('ends with the same files whether it was stopped or not', async () => {
    const short2 = short('mnist-qif-t2', 0.01, 2)
    const [whole, broken] = ['whole', 'broken'].map((name) => join(out, name)) as [string, string]
    await trainRecipe(short2, { ...base, out: whole, show: listeningShow().show })
    for (const [epoch, step] of [
      [0, 3],
      [1, 5],
    ] as const) {
      const controller = new AbortController()
      const { show } = listeningShow((at) => {
        if (at.epoch === epoch && at.step === step) controller.abort()
      })
      const options = { ...base, out: broken, show, signal: controller.signal, resume: epoch > 0 }
      const failure = await trainRecipe(short2, options).catch((error: unknown) => error)
      expect(failure).toBeInstanceOf(CancelledError)
      expect((failure as Error).message).toContain('--resume')
    }
    await trainRecipe(short2, { ...base, out: broken, show: listeningShow().show, resume: true })
    for (const name of ['mnist-qif-t2.safetensors', 'mnist-qif-t2.json', 'history.json', 'raster.svg'])
      expect(
        readFileSync(join(broken, 'mnist-qif-t2', name)).equals(readFileSync(join(whole, 'mnist-qif-t2', name))),
        name,
      ).toBe(true)
  })

  it('trains on recordings, made once', async () => {
    const recipe = short('nmnist-qif-t5', 0.01, 1)
    const first = listeningShow()
    const { test } = await trainRecipe(recipe, { ...base, out, show: first.show, samples: 20 })
    expect(test.count).toBe(20)
    expect(test.layers[0]!.firing).toBeGreaterThan(0)
    expect(first.notices).toEqual(['the run is short: the rate warms up for 0 steps instead of 4'])
    const { about } = await loadModel(join(out, 'nmnist-qif-t5', 'nmnist-qif-t5'))
    expect(about.data).toContain('not the recordings of N-MNIST')
  })

  it('begins anew, aloud, when there is nothing to resume', async () => {
    const { show, notices } = listeningShow()
    const options = { ...base, out: join(out, 'anew'), show, resume: true, samples: 30 }
    await trainRecipe(short('mnist-lif-t2', 0.01, 1), options)
    expect(notices[0]).toMatch(/no checkpoint: the run begins anew/)
  })
})
