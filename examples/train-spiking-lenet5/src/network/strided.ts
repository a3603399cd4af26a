/** LeNet-5 without pooling: convolutions in steps of two, as the pooling behind their neurons was. */
import { createNetwork, type LayerDescription, type Network, type NetworkRecipe } from '@he-ml/snn-training'

type LayerRecipe = NetworkRecipe['layers'][number]

/**
 * A network whose convolutions go in the steps of the average pooling behind their neurons, which is left out: of every area that was
 * pooled its first neuron is left. What the next layer reads are then spikes, not quarters of four, so that its weights may lie as close
 * as the points of its neurons' grid; and there are fewer neurons. The weights stay, those of a linear layer at their places on the
 * (square) image; places that pooling had cut off at the edge begin with 0.
 */
export function strided(network: Network): Network {
  const { layers } = network.description
  const changed = createNetwork({ ...network.description, layers: withoutPools(layers) }, network.options)
  const channels = layers.findLast((layer) => layer.kind === 'conv2d')?.outChannels ?? 1
  for (const [i, { value, shape }] of changed.state.entries()) {
    const own = network.state[i]!
    if (`${own.shape}` === `${shape}`) value.set(own.value)
    else {
      value.fill(0)
      for (const [from, to] of places(own.shape, shape, channels)) value[to] = own.value[from]!
    }
  }
  return changed
}

/** Which weight, [out, channels * side * side], becomes which when the side grows; all others are 0. */
function* places(before: readonly number[], after: readonly number[], channels: number): Generator<[number, number]> {
  const [small, large] = [before, after].map(([, inputs]) => Math.sqrt(inputs! / channels)) as [number, number]
  for (let plane = 0; plane < before[0]! * channels; plane++)
    for (let y = 0; y < small; y++)
      for (let x = 0; x < small; x++) yield [(plane * small + y) * small + x, (plane * large + y) * large + x]
}

function withoutPools(layers: readonly LayerDescription[]): LayerRecipe[] {
  return layers.flatMap((layer, i): LayerRecipe[] => {
    const pool = layers[i + 2]
    if (layer.kind === 'averagePool2d') return []
    if (layer.kind !== 'conv2d' || pool?.kind !== 'averagePool2d') return [layer]
    return [{ ...layer, stride: layer.stride * pool.stride }]
  })
}
