/** What putting a network on grids comes down to, whatever the membranes' grids are chosen by. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { Grid, LayerDescription, NeuronDescription, PlainLayerDescription } from '@he-ml/model/spiking'
import type { Reals } from '@he-ml/snn-neurons'
import type { WeightGrid } from '../layers/weight-grid.ts'
import { createNetwork, type Network } from '../network/network.ts'
import { spikeFractions } from './spike-fractions.ts'

export interface MembraneGrids {
  /** Default: what the layers have. */
  readonly rangePenalty?: number | undefined
  /** Default: the network's own. */
  readonly inputGrid?: Grid | undefined
  membrane(layer: NeuronDescription): Grid
}

/** A copy with these grids, and weights and biases on the steps that keep all sums on them. @throws InvalidArgumentError for a normalisation */
export function putOnGrids(network: Network, { rangePenalty, inputGrid, membrane }: MembraneGrids): Network {
  const description = { ...network.description, ...(inputGrid && { inputGrid }) }
  const state = new Map(network.state.map(({ name, value }) => [name, value]))
  const fractions = spikeFractions(description)
  const layers = withGrids(description.layers, undefined, {
    membrane,
    ...(rangePenalty !== undefined && { rangePenalty }),
    weights: (name, { step, area }) =>
      weightGrid(state.get(`${name}.weight`)!, step * area * (fractions.get(name) ?? 1), step),
  })
  const result = createNetwork({ ...description, layers }, network.options)
  for (const { name, value } of result.state) value.set(state.get(name)!)
  return result
}

/** The magnitude that a share of the values does not exceed. */
export function extentOf(values: Reals, coverage: number): number {
  const sorted = Float64Array.from(values, Math.abs).sort()
  return sorted[Math.min(sorted.length - 1, Math.ceil(coverage * sorted.length) - 1)]!
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
