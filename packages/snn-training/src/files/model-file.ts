/**
 * A trained network as two files: JSON that says what it computes, and safetensors with its values. Normalisations are folded,
 * dropout and penalties are gone, weights with a grid are rounded to it, so that a reader needs to know nothing about training.
 */
import { FormatError, InvalidArgumentError } from '@he-ml/ckks-core'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { z } from 'zod'
import type { FloatKernels } from '../kernels/float-kernels.ts'
import { allLayers } from '../network/all-layers.ts'
import { checkNetwork, valueCount } from '../network/check.ts'
import {
  type LayerDescription,
  type NetworkDescription,
  type NetworkRecipe,
  networkSchema,
} from '../network/description.ts'
import { foldNormalization } from '../network/fold.ts'
import { createNetwork, type Network, type NetworkOptions } from '../network/network.ts'
import { roundWeights } from '../quantization/round-weights.ts'
import { checkTensors, storedTensors } from './assign.ts'
import { encodeTensors, parseTensors, type StoredTensor } from './safetensors.ts'

const FORMAT = 'he-ml-spiking-network'
/** Longest JSON that is read. */
const MOST_JSON = 2 ** 22
const modelSchema = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(1),
  network: networkSchema,
  weights: z.strictObject({
    bytes: z.number().int().nonnegative(),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
  }),
  /** What the network was trained on and how, for readers. */
  about: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
})

type LayerRecipe = NetworkRecipe['layers'][number]

/** Free facts about a model: data, accuracy, recipe. */
export type ModelFacts = z.infer<typeof modelSchema>['about']

/** The contents of the two files. */
export interface ModelFiles {
  readonly description: string
  readonly weights: Uint8Array
}

/** A model that was read. */
export interface LoadedModel {
  readonly network: Network
  readonly about: ModelFacts
}

/** Both files of a network in single precision; the network itself is left as it is. */
export function encodeModel(network: Network, about: ModelFacts = {}): ModelFiles {
  if (network.precision !== 'float32')
    throw new InvalidArgumentError('model: expected a network in float32, got float64: models are single precision')
  const folded = roundWeights(foldNormalization(network))
  const weights = encodeTensors({ tensors: new Map(storedTensors('', folded.state)), metadata: { format: FORMAT } })
  const model: z.input<typeof modelSchema> = {
    format: FORMAT,
    version: 1,
    network: { ...folded.description, layers: folded.description.layers.map(withoutPenalty) },
    weights: { bytes: weights.length, sha256: bytesToHex(sha256(weights)) },
    about,
  }
  return { description: `${JSON.stringify(model, null, 2)}\n`, weights }
}

/** The layer as inference knows it. */
function withoutPenalty(layer: LayerDescription): LayerRecipe {
  if (layer.kind === 'residual') {
    const [main, shortcut] = [layer.main, layer.shortcut].map((path) => path.map(withoutPenalty))
    return { ...layer, main, shortcut } as LayerRecipe
  }
  if (layer.kind !== 'neuron') return layer
  const { rangePenalty: _, ...rest } = layer
  return rest
}

/**
 * Reads and validates both files.
 * @throws FormatError saying what is wrong: fields, layers that do not fit, a checksum, a tensor
 */
export function parseModel(
  { description, weights }: ModelFiles,
  options: { readonly kernels?: FloatKernels<Float32Array> } = {},
): LoadedModel {
  const model = parseDescription(description)
  if (model.weights.bytes !== weights.length || model.weights.sha256 !== bytesToHex(sha256(weights)))
    throw new FormatError('model: the weights are not those the description names: take both files from one model')
  const { tensors } = parseTensors(weights)
  const network = buildFor(model.network, tensors, options)
  checkTensors(network.state, tensors)()
  return { network, about: model.about }
}

/** Counts before it builds, so that a description cannot ask for more memory than its weights take. */
export function buildFor(
  description: NetworkDescription,
  tensors: ReadonlyMap<string, StoredTensor>,
  options: NetworkOptions,
): Network {
  let checked: NetworkDescription
  try {
    checked = checkNetwork(description)
  } catch (cause) {
    throw new FormatError(cause instanceof Error ? cause.message : 'network: not valid', { cause })
  }
  const expected = valueCount(checked.layers, checked.inputShape)
  const got = [...tensors.values()].reduce((sum, { data }) => sum + data.length, 0)
  if (expected > got) throw new FormatError(`network: expected ${expected} values for its layers, got ${got}`)
  return createNetwork(checked, options)
}

function parseDescription(description: string): z.infer<typeof modelSchema> {
  if (description.length > MOST_JSON)
    throw new FormatError(`model: expected at most ${MOST_JSON} characters, got ${description.length}`)
  let json: unknown
  try {
    json = JSON.parse(description)
  } catch (cause) {
    throw new FormatError('model: the description is not JSON', { cause })
  }
  const parsed = modelSchema.safeParse(json)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!
    throw new FormatError(`model: field "${issue.path.join('.') || '(root)'}": ${issue.message}`)
  }
  const layers = allLayers(parsed.data.network.layers)
  const training = layers.find(({ kind }) => kind === 'dropout' || kind === 'tdBatchNorm')
  if (training) throw new FormatError(`model: layer "${training.name}" (${training.kind}) belongs to training: fold it`)
  const penalty = layers.find((layer) => layer.kind === 'neuron' && layer.rangePenalty > 0)
  if (penalty) throw new FormatError(`model: layer "${penalty.name}": rangePenalty belongs to training: leave it out`)
  return parsed.data
}
