import { roundToGrid } from '@he-ml/float-kernels'
import type { LayerDescription } from '@he-ml/model/spiking'
import { allLayers } from '@he-ml/model/spiking'
import { roundBias } from '../layers/weight-grid.ts'
import { createNetwork, type Network } from '../network/network.ts'

/** A copy of a network whose weights lie on their layers' grids (and biases on the grids' bias steps) instead of being rounded in use. */
export function roundWeights(network: Network): Network {
  const result = createNetwork(network.description, network.options)
  const grids = new Map(allLayers(network.description.layers).map((layer) => [layer.name, gridOf(layer)]))
  for (const [index, { name, value }] of result.state.entries()) {
    value.set(network.state[index]!.value)
    const grid = grids.get(name.slice(0, name.indexOf('.')))
    if (grid && name.endsWith('.weight')) roundToGrid(value, grid, value)
    if (grid && name.endsWith('.bias')) value.set(roundBias(value, grid))
  }
  return result
}

const gridOf = (layer: LayerDescription) =>
  layer.kind === 'conv2d' || layer.kind === 'linear' ? layer.weightGrid : undefined
