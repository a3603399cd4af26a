/** The network that training begins with. */
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FormatError, InvalidArgumentError } from '@he-ml/ckks-core'
import type { FloatKernels } from '@he-ml/float-kernels'
import { applyCommonGrid, createNetwork, type Network } from '@he-ml/snn-training'
import { loadModel } from '@he-ml/snn-training/node'
import { NEURONS, scaled, spikingLenet5, strided } from '../network/index.ts'
import type { Recipe } from '../recipes/index.ts'
import { strengthened } from './strengthen.ts'

/** What a new network reads. */
const INPUTS = {
  mnist: { inputShape: [1, 28, 28], inputTime: 'static' },
  nmnist: { inputShape: [2, 34, 34], inputTime: 'perStep' },
} as const

/** The models that come with this example. */
export const MODELS_FOLDER = fileURLToPath(new URL('../../models/', import.meta.url))

export interface StartOptions {
  readonly kernels: FloatKernels<Float32Array>
  /** Folders of finished runs, `RECIPE/RECIPE.json`, which a recipe's source is looked for in before the shipped models. */
  readonly out: string
  /** Where the source is instead. */
  readonly from?: string | undefined
}

/** The recipe's network, without grids yet, and the path of the model it comes from. */
export interface Start {
  readonly network: Network
  readonly from?: string
}

/**
 * Untrained from the recipe's seed, or as its source left it.
 *
 * @throws InvalidArgumentError when there is no source
 * @throws FormatError when it is damaged, or trained for other data
 */
export async function startNetwork(recipe: Recipe, { kernels, out, from }: StartOptions): Promise<Start> {
  const { start, data, training } = recipe
  const input = INPUTS[data.kind]
  if (start.kind === 'new') {
    const neuron = NEURONS[start.neuron]
    const network = spikingLenet5({ neuron, timeSteps: start.timeSteps, ...input })
    return { network: createNetwork(network, { kernels, seed: training.seed }) }
  }
  const path = from ?? (await findSource(recipe.name, start.from, out))
  const { network } = await loadModel(path, { kernels })
  const { inputShape, inputTime } = network.description
  if (`${inputShape}` !== `${input.inputShape}` || inputTime !== input.inputTime)
    throw new FormatError(
      `${path}: expected a model for ${input.inputTime} [${input.inputShape}], as ${recipe.name} needs, got ${inputTime} [${inputShape}]`,
    )
  return { network, from: path }
}

async function findSource(name: string, from: string, out: string): Promise<string> {
  const places = [join(out, from, from), join(MODELS_FOLDER, from)]
  for (const path of places) {
    const isThere = await access(`${path}.json`).then(
      () => true,
      () => false,
    )
    if (isThere) return path
  }
  throw new InvalidArgumentError(
    `recipe ${name}: it starts from the model "${from}", which is neither of ${places.map((p) => `${p}.json`).join(', ')}: ` +
      `train that first, or name a model with --from`,
  )
}

/** A network in its recipe's units and on its grid, if it asks for them. */
export function withGrids(source: Network, { start }: Recipe): Network {
  if (start.kind !== 'grids') return source
  const { grid, inputGrid, rangePenalty, strength, pooling, units } = start
  const network = scaled(pooling === 'strides' ? strided(source) : source, units)
  const options = { grid, inputGrid, rangePenalty }
  return applyCommonGrid(strengthened(network, applyCommonGrid(network, options), strength), options)
}
