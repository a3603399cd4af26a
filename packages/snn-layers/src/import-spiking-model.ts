/**
 * Trained spiking networks as models: linear layers of nn-layers, neurons with their state carried over the time steps, and
 * the mean over time of the last layer's result. The input is one tensor, the same at every step, and everything before the
 * first neurons is computed once; or, where the model says so (`inputTime`), a frame for each step. With an `inputGrid` it is rounded
 * to those points.
 */
import {
  checkArgument,
  checkOptions,
  type OptionCheck,
  type OptionChecks,
  optionCheck,
  UnsupportedError,
} from '@he-ml/ckks-core'
import { createTensor, type GraphLayer, Model, type NodeDescription, type StateEdge } from '@he-ml/model'
import {
  type LayerDescription,
  parseSpikingModel,
  type SpikingModel,
  type SpikingModelFiles,
  type SpikingTensor,
} from '@he-ml/model/spiking'
import { add, averagePool2d, BatchNormLayer, conv2d, flatten, linear } from '@he-ml/nn-layers'
import { isStep, type SpikeCell, type SpikeStep } from './spike-step.ts'
import { spiking } from './spiking-layer.ts'

/** Options of {@link importSpikingModel}. */
export interface ImportSpikingOptions {
  /**
   * How encrypted neurons evaluate their step, all of them or each layer's its own; default a polynomial of the degree that calibration
   * asks for.
   */
  readonly step?: SpikeStep | ((neurons: NeuronsRead) => SpikeStep | undefined)
}

const isSpikingModel: OptionCheck = (value) => {
  const { network, tensors } = (optionCheck.object(value) === undefined ? value : {}) as Partial<SpikingModel>
  return optionCheck.object(network) === undefined && optionCheck.object(tensors) === undefined
    ? undefined
    : 'a spiking network, as parseSpikingModel or spikingModelOfNir gives one'
}

const OPTIONS: OptionChecks<ImportSpikingOptions> = {
  step: (value) =>
    typeof value === 'function' || isStep(value) === undefined
      ? undefined
      : 'a step, or a function that gives one for each layer',
}

/** A layer of neurons as its file describes it. */
export interface NeuronsRead extends SpikeCell {
  /** Name of the layer. */
  readonly name: string
}

/**
 * Reads the two files of a trained model.
 * @throws FormatError for damaged files; UnsupportedError naming a layer that cannot run encrypted
 */
export const importSpikingModel = (files: SpikingModelFiles, options: ImportSpikingOptions = {}): Model =>
  buildSpikingModel(parseSpikingModel(files), options)

/**
 * A model of what was read before.
 * @throws UnsupportedError naming a layer that cannot run encrypted
 */
export function buildSpikingModel(read: SpikingModel, options: ImportSpikingOptions = {}): Model {
  checkOptions('importSpikingModel', options, OPTIONS)
  checkArgument('buildSpikingModel', 'read', read, isSpikingModel)
  const { network, tensors } = read
  const builder = new Builder(tensors, options)
  const names = new Set(network.layers.map(({ name }) => name))
  let input = 'input'
  while (names.has(input)) input = `${input}-`
  const output = builder.path(network.layers, input)
  const { states } = builder
  const { inputShape: shape, inputTime: time, inputGrid: grid, timeSteps: steps } = network
  return new Model({
    name: network.name,
    input: { name: input, shape, time, ...(grid ? { grid } : {}) },
    nodes: builder.nodes,
    output,
    // without neurons all steps of one image are the same, and so is their mean
    ...(states.length > 0 || time === 'perStep' ? { states, steps, readout: 'mean' as const } : {}),
  })
}

class Builder {
  readonly nodes: NodeDescription[] = []
  readonly states: StateEdge[] = []
  readonly #tensors: ReadonlyMap<string, SpikingTensor>
  readonly #options: ImportSpikingOptions

  constructor(tensors: ReadonlyMap<string, SpikingTensor>, options: ImportSpikingOptions) {
    this.#tensors = tensors
    this.#options = options
  }

  /** Adds layers one behind the other. @returns the last one's value */
  path(layers: readonly LayerDescription[], input: string): string {
    return layers.reduce((value, layer) => this.#layer(layer, value), input)
  }

  #layer(layer: LayerDescription, input: string): string {
    const { name } = layer
    switch (layer.kind) {
      case 'conv2d': {
        const { stride, padding, groups } = layer
        return this.#put(conv2d({ name, ...this.#weights(name), stride, padding, groups }), input)
      }
      case 'linear':
        return this.#put(linear({ name, ...this.#weights(name) }), input)
      case 'averagePool2d':
        return this.#put(averagePool2d({ name, kernel: layer.kernel, stride: layer.stride }), input)
      case 'flatten':
        return this.#put(flatten({ name }), input)
      case 'affine':
        return this.#put(new BatchNormLayer(name, this.#values(`${name}.scale`), this.#values(`${name}.shift`)), input)
      case 'neuron':
        return this.#neurons(layer, input)
      case 'residual': {
        const [main, shortcut] = [this.path(layer.main, input), this.path(layer.shortcut, input)]
        return this.#put(add({ name }), main, shortcut)
      }
      default:
        throw new UnsupportedError(
          `layer "${name}" (${layer.kind}) cannot run encrypted: ${layer.kind === 'maxPool2d' ? 'train with average pooling' : 'fold it'}`,
        )
    }
  }

  #neurons(layer: LayerDescription & { kind: 'neuron' }, input: string): string {
    const { name, neuron, grid, output } = layer
    if (output === 'membrane')
      throw new UnsupportedError(`layer "${name}" (neuron) gives membrane potentials: only spikes are supported`)
    if (neuron.kind === 'lif' && neuron.beta === 0)
      throw new UnsupportedError(`layer "${name}" (neuron) has beta 0, so no state: train with beta above 0`)
    const neurons = { name, neuron, ...(grid ? { grid } : {}) }
    const { step: given } = this.#options
    const step = typeof given === 'function' ? given(neurons) : given
    this.#put(spiking({ ...neurons, ...(step ? { step } : {}) }), input)
    this.states.push({ value: `${name}/membrane`, node: name, input: 1 })
    return `${name}/spike`
  }

  #put(layer: GraphLayer, ...inputs: string[]): string {
    this.nodes.push({ layer, inputs })
    return layer.name
  }

  #weights(name: string) {
    const { shape } = this.#tensors.get(`${name}.weight`)!
    const bias = this.#tensors.has(`${name}.bias`) ? { bias: this.#values(`${name}.bias`) } : {}
    return { weights: createTensor(shape, this.#values(`${name}.weight`)), ...bias }
  }

  #values(name: string): Float64Array {
    return Float64Array.from(this.#tensors.get(name)!.data)
  }
}
