/** Grids for a folded network, from what its membranes do on sample inputs. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { Grid } from '@he-ml/model/spiking'
import type { Network } from '../network/network.ts'
import type { Signal } from '../tensor/signal.ts'
import { extentOf, putOnGrids } from './put-on-grids.ts'

/** Options of {@link calibrateGrids}. */
export interface CalibrateGridsOptions {
  /** Points of every membrane grid, even, 16 to 256. */
  readonly membraneCount: number
  /** Share of the charged membranes that a grid must hold, in (0, 1]; default 1: the rest is clipped. */
  readonly coverage?: number
  /** Of every layer of neurons, see {@link NeuronDescription}, from 0: less clipping where training goes on. Default: what the layers have. */
  readonly rangePenalty?: number
}

/**
 * The same network with a grid in every layer of neurons, and the same step for the weights and biases that drive it, so that
 * sums of spikes times weights lie on the grid. Average pooling before or behind the weights makes fractions of spikes or of
 * sums: there the weights' step is that of the membrane times the pooled areas. The membrane's step divides the threshold: the neuron fires from one grid point on, and the
 * threshold of an encrypted step belongs half-way between that point and the one below. Train on from here (quantisation-aware).
 *
 * @param samples inputs like those the network will see
 * @throws InvalidArgumentError for a network with normalisations (fold it first), no samples, or a coverage outside (0, 1]
 */
export async function calibrateGrids(
  network: Network,
  samples: Signal,
  { membraneCount, coverage = 1, rangePenalty }: CalibrateGridsOptions,
): Promise<Network> {
  if (!(coverage > 0 && coverage <= 1))
    throw new InvalidArgumentError(`grids: expected a coverage in (0, 1], got ${coverage}`)
  if (!(samples.batch >= 1))
    throw new InvalidArgumentError(`grids: expected at least one sample to calibrate on, got ${samples.batch}`)
  const extents = new Map<string, number>()
  await network.forward(samples, { observe: ({ layer, charged }) => extents.set(layer, extentOf(charged, coverage)) })
  return putOnGrids(network, {
    rangePenalty,
    membrane: ({ name, neuron }) => membraneGrid(neuron.threshold, extents.get(name)!, membraneCount),
  })
}

/** The finest step threshold / k whose grid reaches `extent`. */
function membraneGrid(threshold: number, extent: number, count: number): Grid {
  const reach = count / 2 - 1
  const parts = Math.floor((threshold * reach) / Math.max(extent, threshold))
  return { step: threshold / Math.max(1, parts), count }
}
