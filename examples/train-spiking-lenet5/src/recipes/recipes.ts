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
 * On grids: the network is folded, so there are no statistics left to move. Weights that cross to their next point change a neuron at once,
 * and the rate has to fall far below that of training from scratch before they settle.
 */
const ON_GRIDS = {
  ...FROM_SCRATCH,
  epochs: 24,
  schedule: { learningRate: 3e-3, warmupSteps: 200 },
} as const satisfies Recipe['training']
/** Coarse weights learn less of moved digits. */
const LITTLE = { shift: 1, rotation: 5 }

/**
 * Charges beyond what a refresh tells apart would come out as anything, and nothing else keeps them from there: the penalty of digits is so
 * strong that next to none is found further beyond a grid's ends than the points that are left to a period. A functional bootstrap of 64
 * points tells 60 apart, six beyond either end of 48: more take the next period, and twice the time. Recordings lose more than digits do
 * to narrow grids, and take it.
 */
const TRAINED_ON = {
  mnist: { count: 48, rangePenalty: 1, epochs: ON_GRIDS.epochs },
  nmnist: { count: 64, rangePenalty: 0.1, epochs: 16 },
} as const

/** Pixels of digits become 0 or 1; recordings are multiples of 1/4 already. */
const INPUT_GRIDS = { mnist: { step: 1, count: 4 }, nmnist: { step: 1 / 4, count: 16 } } as const
/**
 * Of all membranes, with steps that are powers of two, so that sums and halves are exact: six steps to the threshold for LIF, eight for
 * QIF, which charges itself by squares of what it was and moves within a narrower range.
 */
const MEMBRANE_UNITS = {
  lif: { units: 3 / 4, step: 1 / 8 },
  qif: { units: 1, step: 1 / 8 },
} as const

/** Of an untrained network. */
type NewRecipe = Recipe & { readonly start: { readonly kind: 'new' } }

const mnist = (neuron: NeuronName, timeSteps: number): NewRecipe => ({
  name: `mnist-${neuron}-t${timeSteps}`,
  data: { kind: 'mnist' },
  start: { kind: 'new', neuron, timeSteps },
  validation: VALIDATION,
  training: FROM_SCRATCH,
  augmentation: { shift: 2, rotation: 10 },
})

const nmnist = (neuron: NeuronName, timeSteps: number): NewRecipe => ({
  name: `nmnist-${neuron}-t${timeSteps}`,
  data: { kind: 'nmnist', count: 25_000 },
  start: { kind: 'new', neuron, timeSteps },
  validation: 1000,
  training: FROM_SCRATCH,
  // turning a recording would turn the camera's movement too
  augmentation: { shift: 2, rotation: 0 },
})

/** The same on one grid, trained on from there. */
function onGrids(recipe: NewRecipe): Recipe {
  const { units, step } = MEMBRANE_UNITS[recipe.start.neuron]
  const { count, rangePenalty, epochs } = TRAINED_ON[recipe.data.kind]
  return {
    ...recipe,
    name: `${recipe.name}-grid`,
    start: {
      kind: 'grids',
      from: recipe.name,
      pooling: 'average',
      units,
      grid: { step, count },
      inputGrid: INPUT_GRIDS[recipe.data.kind],
      rangePenalty,
      strength: 0.5,
    },
    training: { ...ON_GRIDS, epochs },
    augmentation: { ...LITTLE, rotation: recipe.augmentation.rotation > 0 ? LITTLE.rotation : 0 },
  }
}

const PLAIN: readonly NewRecipe[] = [
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
