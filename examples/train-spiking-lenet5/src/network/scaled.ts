/** The same network in other units. */
import { createNetwork, type Network, type NetworkRecipe } from '@he-ml/snn-training'
import type { NeuronModel } from './spiking-lenet5.ts'

type Layer = Network['description']['layers'][number]

/**
 * A network whose membranes, thresholds and currents are `factor` times as large, and whose spikes are the same: so the step of a grid can
 * be a power of two, exact in floating point, and go into the threshold any number of times. For chains of layers that end in a linear
 * one, whose scores stay as they are.
 */
export function scaled(network: Network, factor: number): Network {
  const { layers } = network.description
  const result = createNetwork(
    { ...network.description, layers: layers.map((l) => inUnits(l, factor)) },
    network.options,
  )
  const last = layers.at(-1)!.name
  for (const [i, { name, value }] of result.state.entries()) {
    const own = network.state[i]!.value
    value.set(name.startsWith(`${last}.`) ? own : own.map((v) => v * factor))
  }
  return result
}

function inUnits(layer: Layer, factor: number): NetworkRecipe['layers'][number] {
  if (layer.kind !== 'neuron') return layer
  const { kind, width, height } = layer.surrogate
  const surrogate = { kind, width: width * factor, ...(height !== undefined && { height: height / factor }) }
  return { ...layer, neuron: neuronInUnits(layer.neuron, factor), surrogate }
}

function neuronInUnits(neuron: NeuronModel, factor: number): NeuronModel {
  const threshold = neuron.threshold * factor
  if (neuron.kind === 'lif') return { ...neuron, threshold }
  return { ...neuron, threshold, a: neuron.a / factor, u1: neuron.u1 * factor, u2: neuron.u2 * factor }
}
