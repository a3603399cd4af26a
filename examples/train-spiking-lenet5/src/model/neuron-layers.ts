import type { Network, NeuronDescription } from '@he-ml/snn-training'

/** A network's layers of neurons, in order; ours has no blocks. */
export const neuronLayers = ({ description }: Pick<Network, 'description'>) =>
  description.layers.filter((layer): layer is NeuronDescription => layer.kind === 'neuron')
