/** The recipes that this example knows. To tune one, change its numbers here; to add one, add a line to the table. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { NeuronName } from '../network/index.ts'
import type { Recipe } from './recipe.ts'

const SEED = 1
/** The smallest part of the training digits that tells 99 % from 99.5 %. */
const VALIDATION = 2000

const FROM_SCRATCH = {
  epochs: 12,
  batchSize: 64,
  seed: SEED,
  loss: { kind: 'crossEntropy' },
  optimizer: { kind: 'adam' },
  schedule: { learningRate: 6e-3, warmupSteps: 200 },
} as const satisfies Recipe['training']

/**
 * On grids: the network is folded, so there are no statistics left to move. The rate stays that of training from scratch:
 * weights behind pooling have steps of half a threshold and more, and a tenth of the rate hardly gets them across.
 */
const ON_GRIDS = { ...FROM_SCRATCH, epochs: 10 } as const satisfies Recipe['training']
/** Coarse weights learn less of moved digits. */
const LITTLE = { shift: 1, rotation: 5 }

/** Clipped membranes would wrap round under encryption, and nothing else keeps them from a grid's ends. */
const RANGE_PENALTY = 0.1

const mnist = (neuron: NeuronName, timeSteps: number): Recipe => ({
  name: `mnist-${neuron}-t${timeSteps}`,
  data: { kind: 'mnist' },
  start: { kind: 'new', neuron, timeSteps },
  validation: VALIDATION,
  training: FROM_SCRATCH,
  augmentation: { shift: 2, rotation: 10 },
})

const nmnist = (neuron: NeuronName, timeSteps: number): Recipe => ({
  name: `nmnist-${neuron}-t${timeSteps}`,
  data: { kind: 'nmnist', count: 25_000 },
  start: { kind: 'new', neuron, timeSteps },
  validation: 1000,
  training: FROM_SCRATCH,
  // turning a recording would turn the camera's movement too
  augmentation: { shift: 2, rotation: 0 },
})

/** The same on 64 points, trained on from there. */
const onGrids = (recipe: Recipe): Recipe => ({
  ...recipe,
  name: `${recipe.name}-grid`,
  start: {
    kind: 'grids',
    from: recipe.name,
    membraneCount: 64,
    coverage: 0.999,
    rangePenalty: RANGE_PENALTY,
    samples: 256,
  },
  training: ON_GRIDS,
  augmentation: { ...LITTLE, rotation: recipe.augmentation.rotation > 0 ? LITTLE.rotation : 0 },
})

const PLAIN: readonly Recipe[] = [
  mnist('lif', 2),
  mnist('lif', 4),
  mnist('qif', 2),
  mnist('qif', 4),
  nmnist('lif', 5),
  nmnist('qif', 5),
]

/** By name. */
export const RECIPES: Readonly<Record<string, Recipe>> = Object.fromEntries(
  [...PLAIN, ...PLAIN.map(onGrids)].map((recipe) => [recipe.name, recipe]),
)

/** @throws InvalidArgumentError that lists the names there are */
export function recipeNamed(name: string): Recipe {
  const recipe = Object.hasOwn(RECIPES, name) ? RECIPES[name] : undefined
  if (recipe) return recipe
  throw new InvalidArgumentError(`recipe: expected one of ${Object.keys(RECIPES).join(', ')}; got "${name}"`)
}
