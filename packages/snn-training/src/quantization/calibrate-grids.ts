/** Grids for a folded network, from what its membranes do on sample inputs. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { Grid, LayerDescription, NeuronDescription, PlainLayerDescription } from '@he-ml/model/spiking'
import type { Reals } from '@he-ml/snn-neurons'
import type { WeightGrid } from '../layers/weight-grid.ts'
import { createNetwork, type Network } from '../network/network.ts'
import type { Signal } from '../tensor/signal.ts'
import { spikeFractions } from './spike-fractions.ts'

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
  const state = new Map(network.state.map(({ name, value }) => [name, value]))
  const fractions = spikeFractions(network.description.layers)
  const layers = withGrids(network.description.layers, undefined, {
    membrane: ({ name, neuron }) => membraneGrid(neuron.threshold, extents.get(name)!, membraneCount),
    ...(rangePenalty !== undefined && { rangePenalty }),
    weights: (name, { step, area }) =>
      weightGrid(state.get(`${name}.weight`)!, step * area * (fractions.get(name) ?? 1), step),
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
function weightGrid(weights: Reals, step: number, biasStep: number): WeightGrid {
  const largest = extentOf(weights, 1)
  const count = Math.min(65_536, 4 * (Math.ceil(largest / step) + 1))
  return { step, count, ...(biasStep !== step && { biasStep }) }
}

/** The neurons that a layer drives: their grid's step, and the area of average pooling on the way to them. */
interface Driven {
  readonly step: number
  readonly area: number
}

interface GridChoice {
  readonly rangePenalty?: number
  membrane(layer: NeuronDescription): Grid
  weights(layer: string, driven: Driven): WeightGrid
}

/** From the last layer to the first; `after` is undefined where a layer drives no neurons. */
function withGrids<L extends LayerDescription>(
  layers: readonly L[],
  after: Driven | undefined,
  choose: GridChoice,
): L[] {
  let driven = after
  const result: L[] = []
  for (const layer of layers.toReversed()) {
    const changed = withGrid(layer, driven, choose)
    driven = changed.driven
    result.unshift(changed.layer as L)
  }
  return result
}

function withGrid(
  layer: LayerDescription,
  driven: Driven | undefined,
  choose: GridChoice,
): { readonly layer: LayerDescription; readonly driven: Driven | undefined } {
  switch (layer.kind) {
    case 'neuron': {
      const grid = choose.membrane(layer)
      const { rangePenalty = layer.rangePenalty } = choose
      return { layer: { ...layer, grid, rangePenalty }, driven: { step: grid.step, area: 1 } }
    }
    case 'conv2d':
    case 'linear':
      return { layer: driven ? { ...layer, weightGrid: choose.weights(layer.name, driven) } : layer, driven: undefined }
    case 'averagePool2d':
      return { layer, driven: driven && { ...driven, area: driven.area * layer.kernel * layer.kernel } }
    case 'residual': {
      const path = (layers: readonly PlainLayerDescription[]) => withGrids(layers, driven, choose)
      return { layer: { ...layer, main: path(layer.main), shortcut: path(layer.shortcut) }, driven: undefined }
    }
    case 'tdBatchNorm':
      throw new InvalidArgumentError(`grids: layer "${layer.name}" is a normalisation: fold the network first`)
    case 'affine':
      return { layer, driven: undefined }
    default:
      return { layer, driven }
  }
}
