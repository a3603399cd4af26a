/** One grid for all neurons of a network. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { allLayers, type Grid } from '@he-ml/model/spiking'
import type { Network } from '../network/network.ts'
import { putOnGrids } from './put-on-grids.ts'

/** Options of {@link applyCommonGrid}. */
export interface CommonGridOptions {
  /** Of every membrane; the neurons' thresholds are multiples of its step. */
  readonly grid: Grid
  /** The few values of the input that the network reads from now on; default: what the network has. */
  readonly inputGrid?: Grid
  /** Of every layer of neurons, see {@link NeuronDescription}, from 0. Default: what the layers have. */
  readonly rangePenalty?: number
}

/**
 * The same network with the same grid in every layer of neurons, so that steps and resets are the same functions of a point's number
 * everywhere. Weights and biases get the steps that {@link calibrateGrids} would give them; with an input grid those of the first
 * layer too (the membrane's step over the input's), so that its sums need no rounding. Train on from here.
 *
 * @throws InvalidArgumentError for a network with normalisations (fold it first), or a threshold that is no multiple of the step
 */
export function applyCommonGrid(network: Network, { grid, inputGrid, rangePenalty }: CommonGridOptions): Network {
  for (const layer of allLayers(network.description.layers)) {
    if (layer.kind !== 'neuron') continue
    const points = layer.neuron.threshold / grid.step
    if (Math.abs(points - Math.round(points)) > 1e-9 || points < 0.5)
      throw new InvalidArgumentError(
        `grids: layer "${layer.name}": expected a step that divides the threshold ${layer.neuron.threshold}, got ${grid.step}`,
      )
  }
  return putOnGrids(network, { inputGrid, rangePenalty, membrane: () => grid })
}
