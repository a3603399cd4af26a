/** What the neurons of the clear network do with an input, as it was trained: hard spikes, on grids where it has them. */
import { forwardAll, type Model, type Tensor } from '@he-ml/model'
import { type Grid, nearestOnGrid } from '@he-ml/model/spiking'
import { SpikingLayer } from '@he-ml/snn-layers'
import { driftFromZero } from '@he-ml/snn-neurons'

/** One layer over all time steps. */
export interface ClearNeurons {
  readonly name: string
  readonly neurons: number
  readonly threshold: number
  /** Absent for a layer without one. */
  readonly grid?: Grid
  /** What is charged first, where there is no membrane yet. */
  readonly start: number
  /** For each step what the neurons held before their decision, and after reset and drift, and whether they fired. */
  readonly steps: readonly NeuronStep[]
}

export interface NeuronStep {
  readonly charged: Float64Array
  /** 1 or 0. */
  readonly spikes: Float64Array
  readonly membranes: Float64Array
}

/** A grid so wide that nothing is beyond its ends. */
const unbounded = ({ step }: Grid): Grid => ({ step, count: 2 ** 40 })

/**
 * In the order of the layers.
 *
 * @param model as it was imported, not of a plan
 * @param exact charges and membranes are rounded to the layers' grids, as encrypted tables hold them
 */
export function clearNeurons(model: Model, input: Tensor, exact: boolean): ClearNeurons[] {
  const layers = new Map<string, { readonly about: Omit<ClearNeurons, 'steps'>; readonly steps: NeuronStep[] }>()
  model.evaluate(input, ({ layer, name }, inputs) => {
    const results = forwardAll(layer, inputs)
    if (!(layer instanceof SpikingLayer)) return results
    const [spikes, membranes] = results.map(({ data }) => data)
    const { grid, neuron } = layer
    const charged = layer.observed(inputs).data
    const rounded = (values: Float64Array, to: (grid: Grid) => Grid) =>
      grid && exact ? values.map((v) => nearestOnGrid(v, to(grid))) : values
    const start = driftFromZero(neuron)
    const known = layers.get(name) ?? {
      about: {
        name,
        neurons: charged.length,
        threshold: neuron.threshold,
        start: grid && exact ? nearestOnGrid(start, grid) : start,
        ...(grid ? { grid } : {}),
      },
      steps: [],
    }
    layers.set(name, known)
    known.steps.push({
      charged: rounded(charged, unbounded),
      spikes: spikes!,
      membranes: rounded(membranes!, (own) => own),
    })
    return results
  })
  return [...layers.values()].map(({ about, steps }) => ({ ...about, steps }))
}
