import { InvalidArgumentError } from '@he-ml/ckks-core'
import { type FloatKernels, referenceKernels } from '@he-ml/float-kernels'
import { RandomStream } from '@he-ml/snn-training'
import { describe, expect, it } from 'vitest'
import { startNetwork } from '../training/start-network.ts'
import { augmentationOf, RECIPES, recipeNamed } from './index.ts'

const kernels = referenceKernels as FloatKernels<Float32Array>

describe.each(Object.values(RECIPES))('$name', (recipe) => {
  const { data, start, training } = recipe
  it('is found by its name, which says what it is', () => {
    expect(recipeNamed(recipe.name)).toBe(recipe)
    expect(recipe.name.startsWith(data.kind)).toBe(true)
    if (start.kind === 'new') expect(recipe.name).toContain(`${start.neuron}-t${start.timeSteps}`)
    else expect(recipe.name).toBe(`${start.from}-grid`)
  })
  it('starts from a network or a recipe that there is, with steps enough to warm up', async () => {
    expect(training.schedule.warmupSteps).toBeLessThan((training.epochs * 20_000) / training.batchSize)
    if (start.kind === 'new') {
      const { network } = await startNetwork(recipe, { kernels, out: 'unused' })
      expect(network.description.timeSteps).toBe(start.timeSteps)
      expect(network.classes).toBe(10)
    } else {
      expect(recipeNamed(start.from).start.kind).toBe('new')
      expect(start.grid.count).toBeLessThanOrEqual(64)
    }
  })
})

describe('recipes', () => {
  it('have the models that the encrypted examples want', () => {
    const digits = ['lif', 'qif'].flatMap((neuron) => [2, 4].map((steps) => `mnist-${neuron}-t${steps}`))
    expect(Object.keys(RECIPES)).toEqual(expect.arrayContaining([...digits, ...digits.map((name) => `${name}-grid`)]))
  })
  it.each(['mnist', 'toString', ''])('are none called "%s"', (name) => {
    expect(() => recipeNamed(name)).toThrow(InvalidArgumentError)
    expect(() => recipeNamed(name)).toThrow(/mnist-lif-t2, .*nmnist-lif-t5/)
  })
  it('augment as they say', () => {
    const recipe = recipeNamed('mnist-lif-t2')
    const changed = Float32Array.from({ length: 784 }, (_, i) => i)
    augmentationOf(recipe)!(changed, [1, 28, 28], new RandomStream(1))
    expect(changed).not.toEqual(Float32Array.from({ length: 784 }, (_, i) => i))
    expect(augmentationOf({ ...recipe, augmentation: { shift: 0, rotation: 0 } })).toBe(undefined)
  })
})
