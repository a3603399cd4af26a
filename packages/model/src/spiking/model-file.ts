/**
 * A trained network as two files: JSON that says what it computes, and safetensors with its values. Normalisations are folded,
 * dropout and penalties are gone, weights with a grid are rounded to it, so that a reader needs to know nothing about training.
 */
import {
  checkOptions,
  FormatError,
  InvalidArgumentError,
  type OptionChecks,
  sha256,
  toHex,
  UnsupportedError,
} from '@he-ml/ckks-core'
import { z } from 'zod'
import { encodeSafetensors, type NamedTensor, parseSafetensors } from '../safetensors/safetensors.ts'
import { sameShape, sizeOf } from '../tensor.ts'
import { allLayers } from './all-layers.ts'
import { checkNetwork, type TensorShape, tensorShapes } from './check.ts'
import type { LayerDescription, LayerRecipe, NetworkDescription } from './description.ts'
import { networkSchema } from './network-schema.ts'

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

/** Free facts about a model: data, accuracy, recipe. */
export type ModelFacts = Readonly<Record<string, string | number | boolean>>

/** The contents of the two files. */
export interface SpikingModelFiles {
  /** JSON: the network, and the checksum of the weights. */
  readonly description: string
  /** A safetensors file. */
  readonly weights: Uint8Array
}

/** What the files say. */
export interface SpikingModel {
  /** What it computes, all defaults filled in. */
  readonly network: NetworkDescription
  /** Finite, single precision; `layer.weight` and `layer.bias`, of affine maps `layer.scale` and `layer.shift`. */
  readonly tensors: ReadonlyMap<string, SpikingTensor>
  /** What it was trained on and how, for readers. */
  readonly about: ModelFacts
}

/** Values of a layer, row-major. */
export type SpikingTensor = Pick<NamedTensor, 'shape'> & {
  /** As many as the shape says. */
  readonly data: Float32Array
}

/**
 * Both files of a model. Penalties of training are left out.
 * @throws InvalidArgumentError for layers that belong to training, or tensors that are not those of the layers
 */
export function encodeSpikingModel({ network, tensors, about }: SpikingModel): SpikingModelFiles {
  const kept = { ...network, layers: network.layers.map(withoutPenalty) }
  try {
    checkTensors(checkLayers(networkSchema.parse(kept)), tensors)
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause
    throw new InvalidArgumentError(cause.message, { cause })
  }
  const weights = encodeSafetensors({ tensors, metadata: { format: FORMAT } })
  const model: z.input<typeof modelSchema> = {
    format: FORMAT,
    version: 1,
    network: kept,
    weights: { bytes: weights.length, sha256: hexDigest(weights) },
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

const FILES: OptionChecks<SpikingModelFiles> = {
  description: (value) => (typeof value === 'string' ? undefined : 'a text'),
  weights: (value) => (value instanceof Uint8Array ? undefined : 'the bytes of a file'),
}

/**
 * Reads and validates both files; nothing larger than the files is allocated.
 * @throws FormatError saying what is wrong: fields, layers that do not fit, a checksum, a tensor; InvalidArgumentError for what are no files
 */
export function parseSpikingModel(files: SpikingModelFiles): SpikingModel {
  checkOptions('spiking model', files, FILES)
  const { description, weights } = files
  if (description === undefined || weights === undefined)
    throw new InvalidArgumentError('spiking model: both files are needed: a description and its weights')
  const model = parseDescription(description)
  if (model.weights.bytes !== weights.length || model.weights.sha256 !== hexDigest(weights))
    throw new FormatError('model: the weights are not those the description names: take both files from one model')
  const network = checkLayers(model.network)
  return { network, tensors: checkTensors(network, singlesOf(weights)), about: model.about }
}

function singlesOf(weights: Uint8Array): ReadonlyMap<string, NamedTensor> {
  try {
    return parseSafetensors(weights, { types: ['F32'] }).tensors
  } catch (cause) {
    if (!(cause instanceof UnsupportedError)) throw cause
    throw new FormatError(`model: ${cause.message}`, { cause })
  }
}

/** @throws FormatError for layers that do not fit, or belong to training */
function checkLayers(description: NetworkDescription): NetworkDescription {
  const layers = allLayers(description.layers)
  const training = layers.find(({ kind }) => kind === 'dropout' || kind === 'tdBatchNorm')
  if (training) throw new FormatError(`model: layer "${training.name}" (${training.kind}) belongs to training: fold it`)
  const penalty = layers.find((layer) => layer.kind === 'neuron' && layer.rangePenalty > 0)
  if (penalty) throw new FormatError(`model: layer "${penalty.name}": rangePenalty belongs to training: leave it out`)
  try {
    return checkNetwork(description)
  } catch (cause) {
    throw new FormatError(cause instanceof Error ? cause.message : 'network: not valid', { cause })
  }
}

/** The tensors of the layers, and no others. @throws FormatError that names the tensor */
function checkTensors(
  { layers, inputShape }: NetworkDescription,
  tensors: ReadonlyMap<string, Pick<NamedTensor, 'shape' | 'data'>>,
): SpikingModel['tensors'] {
  const wanted = tensorShapes(layers, inputShape)
  const [expected, got] = [wanted, [...tensors.values()]].map((all) =>
    all.reduce((n, { shape }) => n + sizeOf(shape), 0),
  )
  if (expected! > got!) throw new FormatError(`network: expected ${expected} values for its layers, got ${got}`)
  const names = new Set(wanted.map(({ name }) => name))
  for (const name of tensors.keys())
    if (!names.has(name)) throw new FormatError(`tensors: "${name}" belongs to no layer`)
  return new Map(wanted.map((entry) => [entry.name, checkTensor(entry, tensors.get(entry.name))]))
}

function checkTensor(
  { name, shape }: TensorShape,
  tensor: Pick<NamedTensor, 'shape' | 'data'> | undefined,
): SpikingTensor {
  if (!tensor) throw new FormatError(`tensors: expected "${name}", got none`)
  const { data } = tensor
  if (!sameShape(tensor.shape, shape) || !(data instanceof Float32Array))
    throw new FormatError(
      `tensors: expected "${name}" as [${shape}] of 32 bits, got [${tensor.shape}] of ${8 * data.BYTES_PER_ELEMENT}`,
    )
  if (!data.every(Number.isFinite)) throw new FormatError(`tensors: "${name}" is not finite`)
  return { shape, data }
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
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]!
  throw new FormatError(`model: field "${issue.path.join('.') || '(root)'}": ${issue.message}`)
}

const hexDigest = (bytes: Uint8Array): string => toHex(sha256(bytes))
