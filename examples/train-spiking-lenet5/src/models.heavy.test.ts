/** The models that come with this example do what their page says, on the digits that they were judged by. */
import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { loadModel } from '@he-ml/snn-training/node'
import { afterAll, describe, expect, it } from 'vitest'
import { openKernels } from './kernels.ts'
import { examine } from './model/examine.ts'
import { RECIPES } from './recipes/index.ts'
import { listeningShow } from './testing/listening-show.test-helper.ts'
import { factsSchema } from './training/facts.ts'
import { samplesFor } from './training/recipe-data.ts'
import { MODELS_FOLDER } from './training/start-network.ts'

const folder = join(process.env.HE_ML_SHARED ?? resolve(import.meta.dirname, '../../../../shared'), 'data/mnist')
const present = existsSync(folder)
if (!present) console.warn('SKIPPED: no ../shared/data/mnist, the shipped spiking models are not judged')

/** Lowest accuracy on the 5,000 test digits, or on simulated recordings of them. */
const leastAccuracy = (name: string): number =>
  name.startsWith('nmnist') ? 0.97 : name.endsWith('grid') ? 0.987 : 0.99

const names = readdirSync(MODELS_FOLDER)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length))

describe('shipped models', () => {
  const kernels = openKernels({ onNotice: console.warn })
  // without fused multiply-adds sums round otherwise, and a digit on the edge may fall to the other side
  const slack = kernels.name.includes('avx') ? 0 : 3
  afterAll(() => kernels[Symbol.asyncDispose]())

  it('are the ones that were promised: both neurons, two and four steps, real and on grids; recordings', () => {
    const digits = ['lif', 'qif'].flatMap((neuron) => [2, 4].map((steps) => `mnist-${neuron}-t${steps}`))
    const all = [...digits, 'nmnist-lif-t5']
    expect(names).toEqual(expect.arrayContaining([...all, ...all.map((name) => `${name}-grid`)]))
  })

  it.each(names)('%s was made by its recipe, as it is now', async (name) => {
    const { about } = await loadModel(join(MODELS_FOLDER, name))
    const { training } = RECIPES[name]!
    expect(factsSchema.parse(about)).toMatchObject({
      recipe: name,
      epochs: training.epochs,
      batchSize: training.batchSize,
      learningRate: training.schedule.learningRate,
      seed: training.seed,
    })
  })

  it.skipIf(!present).each(names)('%s is right as often as its page says', async (name) => {
    const { network, about } = await loadModel(join(MODELS_FOLDER, name), { kernels: kernels.kernels })
    const { testCorrect, testSamples } = factsSchema.parse(about)
    const data = await samplesFor(network, { folder, show: listeningShow().show })
    const { correct, count, accuracy, layers } = await examine(network, data)
    expect(count).toBe(testSamples)
    expect(Math.abs(correct - testCorrect)).toBeLessThanOrEqual(slack)
    expect(accuracy).toBeGreaterThanOrEqual(leastAccuracy(name))
    for (const { grid } of layers) {
      expect(grid !== undefined).toBe(name.endsWith('grid'))
      if (grid) expect(grid).toMatchObject({ onGrid: 1 })
      if (grid) expect(grid.count).toBeLessThanOrEqual(64)
      // what is clipped here would wrap round under encryption
      if (grid) expect(grid.clipped).toBeLessThan(0.001)
    }
  })
})
