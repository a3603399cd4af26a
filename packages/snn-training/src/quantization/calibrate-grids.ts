/** Grids for a folded network, from what its membranes do on sample inputs. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { Reals } from '@he-ml/snn-neurons'
import type { LayerDescription, NeuronDescription, PlainLayerDescription } from '../network/description.ts'
import { createNetwork, type Network } from '../network/network.ts'
import type { Signal } from '../tensor/signal.ts'
import type { Grid } from './grid.ts'

export interface CalibrateGridsOptions {
  /** Points of every membrane grid, even, 16 to 256. */
  readonly membraneCount: number
  /** Share of the charged membranes that a grid must hold, in (0, 1]; default 1: the rest is clipped. */
  readonly coverage?: number
}

/**
 * The same network with a grid in every layer of neurons, and the same step for the weights that drive it, so that sums of
 * spikes times weights lie on the grid. The step divides the threshold: the neuron fires from one grid point on, and the
 * threshold of an encrypted step belongs half-way between that point and the one below. Train on from here (quantisation-aware).
 *
 * @param samples inputs like those the network will see
 * @throws InvalidArgumentError for a network with normalisations (fold it first), or a coverage outside (0, 1]
 */
export async function calibrateGrids(
  network: Network,
  samples: Signal,
  { membraneCount, coverage = 1 }: CalibrateGridsOptions,
): Promise<Network> {
  if (!(coverage > 0 && coverage <= 1))
    throw new InvalidArgumentError(`grids: expected a coverage in (0, 1], got ${coverage}`)
  const extents = new Map<string, number>()
  await network.forward(samples, { observe: ({ layer, charged }) => extents.set(layer, extentOf(charged, coverage)) })
  const state = new Map(network.state.map(({ name, value }) => [name, value]))
  const layers = withGrids(network.description.layers, undefined, {
    membrane: ({ name, neuron }) => membraneGrid(neuron.threshold, extents.get(name)!, membraneCount),
    weights: (name, step) => weightGrid(state.get(`${name}.weight`)!, step),
  })
  const result = createNetwork({ ...network.description, layers }, network.options)
  for (const { name, value } of result.state) value.set(state.get(name)!)
  return result
}

/** The magnitude that a share of the values does not exceed. */
function extentOf(values: Reals, coverage: number): number {
  const sorted = Float64Array.from(values, Math.abs).sort()
  return sorted[Math.min(sorted.length - 1, Math.ceil(coverage * sorted.length) - 1)]!
}

/** The finest step threshold / k whose grid reaches `extent`. */
function membraneGrid(threshold: number, extent: number, count: number): Grid {
  const reach = count / 2 - 1
  const parts = Math.floor((threshold * reach) / Math.max(extent, threshold))
  return { step: threshold / Math.max(1, parts), count }
}

/** Room for twice the largest weight. */
function weightGrid(weights: Reals, step: number): Grid {
  const largest = extentOf(weights, 1)
  return { step, count: Math.min(65_536, 4 * (Math.ceil(largest / step) + 1)) }
}

interface GridChoice {
  membrane(layer: NeuronDescription): Grid
  weights(layer: string, step: number): Grid
}

/** From the last layer to the first: `step` is that of the neurons which the layer drives, undefined if there are none. */
function withGrids<L extends LayerDescription>(
  layers: readonly L[],
  after: number | undefined,
  choose: GridChoice,
): L[] {
  let step = after
  const result: L[] = []
  for (const layer of layers.toReversed()) {
    const changed = withGrid(layer, step, choose)
    step = changed.step
    result.unshift(changed.layer as L)
  }
  return result
}

function withGrid(
  layer: LayerDescription,
  step: number | undefined,
  choose: GridChoice,
): { readonly layer: LayerDescription; readonly step: number | undefined } {
  switch (layer.kind) {
    case 'neuron': {
      const grid = choose.membrane(layer)
      return { layer: { ...layer, grid }, step: grid.step }
    }
    case 'conv2d':
    case 'linear':
      return {
        layer: step === undefined ? layer : { ...layer, weightGrid: choose.weights(layer.name, step) },
        step: undefined,
      }
    case 'residual': {
      const path = (layers: readonly PlainLayerDescription[]) => withGrids(layers, step, choose)
      return { layer: { ...layer, main: path(layer.main), shortcut: path(layer.shortcut) }, step: undefined }
    }
    case 'tdBatchNorm':
      throw new InvalidArgumentError(`grids: layer "${layer.name}" is a normalisation: fold the network first`)
    case 'affine':
      return { layer, step: undefined }
    default:
      return { layer, step }
  }
}
