/** Trained spiking networks, as examples/train-spiking-lenet5 writes them. */
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { Model } from '@he-ml/model'
import { allLayers, parseSpikingModel } from '@he-ml/model/spiking'
import { buildSpikingModel, functionalSpikeStep, polynomialSpikeStep } from '@he-ml/snn-layers'
import type { StepChoice } from './options.ts'

/** A network whose neurons know how to decide when encrypted. */
export interface SpikingNetwork {
  /** Its file's. */
  readonly name: string
  readonly model: Model
  readonly step: Exclude<StepChoice, 'auto'>
}

/** The models that come with the repository. */
const SHIPPED = fileURLToPath(new URL('../../train-spiking-lenet5/models', import.meta.url))

/** Share of the threshold over which a polynomial step rises. */
const SOFT_WIDTH = 0.1

/**
 * Reads a description and the weights beside it.
 *
 * @param model name of a shipped model, or path of a description (.json)
 * @throws InvalidArgumentError for a file that is not there, with the names there are; FormatError for damaged files
 */
export async function loadNetwork(model: string, choice: StepChoice = 'auto'): Promise<SpikingNetwork> {
  const file = model.endsWith('.json') ? model : join(SHIPPED, `${model}.json`)
  if (!existsSync(file))
    throw new InvalidArgumentError(`${model}: no such model; shipped are ${(await shippedModels()).join(', ')}`)
  const description = await readFile(file, 'utf8')
  const weights = await readFile(file.replace(/json$/, 'safetensors'))
  const trained = parseSpikingModel({ description, weights })
  const neurons = [...allLayers(trained.network.layers)].filter((layer) => layer.kind === 'neuron')
  const hasGrids = neurons.length > 0 && neurons.every(({ grid }) => grid !== undefined)
  const exact = choice === 'auto' ? hasGrids : choice === 'functional'
  const step = exact ? functionalSpikeStep() : polynomialSpikeStep({ width: SOFT_WIDTH })
  return {
    name: basename(file, '.json'),
    model: buildSpikingModel(trained, { step }),
    step: exact ? 'functional' : 'polynomial',
  }
}

async function shippedModels(): Promise<string[]> {
  const names = await readdir(SHIPPED)
  return names.filter((name) => name.endsWith('.json')).map((name) => basename(name, '.json'))
}
