/** Networks to model files, ready for inference, and back. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { FloatKernels } from '@he-ml/float-kernels'
import {
  encodeSpikingModel,
  type ModelFacts,
  parseSpikingModel,
  type SpikingModelFiles,
  type SpikingTensor,
} from '@he-ml/model/spiking'
import { foldNormalization } from '../network/fold.ts'
import { createNetwork, type Network } from '../network/network.ts'
import { roundWeights } from '../quantization/round-weights.ts'
import { checkTensors } from './assign.ts'

/** A model that was read. */
export interface LoadedModel {
  /** Ready for inference, weights on their grids. */
  readonly network: Network
  /** What it was trained on and how, for readers. */
  readonly about: ModelFacts
}

/** Both files of a network in single precision; the network itself is left as it is. */
export function encodeModel(network: Network, about: ModelFacts = {}): SpikingModelFiles {
  if (network.precision !== 'float32')
    throw new InvalidArgumentError('model: expected a network in float32, got float64: models are single precision')
  const { description, state } = roundWeights(foldNormalization(network))
  const tensors = new Map(
    state.map(({ name, shape, value }): [string, SpikingTensor] => [name, { shape, data: value as Float32Array }]),
  )
  return encodeSpikingModel({ network: description, tensors, about })
}

/**
 * Reads and validates both files.
 * @throws FormatError saying what is wrong: fields, layers that do not fit, a checksum, a tensor
 */
export function parseModel(
  files: SpikingModelFiles,
  options: { readonly kernels?: FloatKernels<Float32Array> } = {},
): LoadedModel {
  const { network: description, tensors, about } = parseSpikingModel(files)
  const network = createNetwork(description, options)
  checkTensors(network.state, tensors)()
  return { network, about }
}
