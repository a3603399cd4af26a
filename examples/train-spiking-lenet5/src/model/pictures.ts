/** Pictures of what a model does with a few samples. */
import { createNeuron, gradientWindow } from '@he-ml/snn-neurons'
import { type LabelledData, meanOverTime, type Network, type NeuronActivity } from '@he-ml/snn-training'
import {
  drawGradientWindows,
  drawMembraneTraces,
  drawSpikeRaster,
  type MembraneTrace,
  type SpikeRaster,
} from '../picture/index.ts'
import { answersOf, inputOf } from './batches.ts'
import { neuronLayers } from './neuron-layers.ts'

export interface DrawModelOptions {
  /** Samples to look at; default the first of each class that the data have. */
  readonly samples?: readonly number[]
}

/** Neurons of one layer whose membranes are drawn. */
const TRACES = 8

/** SVG documents by file name. */
export async function drawModel(
  network: Network,
  data: LabelledData,
  { samples = firstOfEachClass(data, network.classes) }: DrawModelOptions = {},
): Promise<Readonly<Record<string, string>>> {
  const looked: Looked[] = []
  for (const index of samples) looked.push(await lookAt(network, data, index))
  return {
    'windows.svg': await windows(network),
    'traces.svg': await traces(network, looked[0]!),
    'raster.svg': await raster(network, looked),
  }
}

/** Indices of the first sample of each class, in order of the classes. */
function firstOfEachClass(data: LabelledData, classes: number): number[] {
  const first: number[] = []
  for (let index = 0; index < data.count; index++) first[data.label(index)] ??= index
  return Array.from({ length: classes }, (_, label) => first[label]).filter((index) => index !== undefined)
}

type Traces = Omit<NeuronActivity, 'countClipped'>

/** What the neurons did for one sample, layer by layer. */
interface Looked {
  readonly label: number
  readonly answer: number
  readonly layers: ReadonlyMap<string, Traces>
}

async function lookAt(network: Network, data: LabelledData, index: number): Promise<Looked> {
  const layers = new Map<string, Traces>()
  const observe = ({ layer, timeSteps, spikes, charged, membranePotentials }: NeuronActivity) =>
    layers.set(layer, {
      layer,
      timeSteps,
      spikes: spikes.slice(),
      charged: charged.slice(),
      membranePotentials: membranePotentials.slice(),
    })
  const output = await network.forward(inputOf(data, index, 1), { observe })
  return { label: data.label(index), answer: answersOf(meanOverTime(output), 1)[0]!, layers }
}

function windows({ description }: Network): Promise<string> {
  const { timeSteps } = description
  const { neuron } = neuronLayers({ description })[0]!
  const window = gradientWindow(createNeuron(neuron), { timeSteps })
  return drawGradientWindows({
    title: `Surrogate gradient of ${neuron.kind.toUpperCase()} neurons, T = ${timeSteps}`,
    subtitle: ['Where normalised inputs bring the membrane, and the rectangle that follows from it.'],
    windows: [{ name: description.name, threshold: neuron.threshold, window }],
  })
}

/** Some neurons of the last layer, evenly taken from all of them in order of their spikes. */
function traces({ description }: Network, { label, layers }: Looked): Promise<string> {
  const { name, neuron } = neuronLayers({ description }).at(-1)!
  const { timeSteps, spikes, charged, membranePotentials } = layers.get(name)!
  const count = spikes.length / timeSteps
  const over = (values: ArrayLike<number>, n: number) =>
    Array.from({ length: timeSteps }, (_, t) => values[t * count + n]!)
  const fired = (n: number) => over(spikes, n).filter((spike) => spike !== 0).length
  const order = Array.from({ length: count }, (_, n) => n).toSorted((a, b) => fired(b) - fired(a) || a - b)
  // from the busiest to the quietest, evenly
  const panels = Math.min(TRACES, count)
  const shown = Array.from({ length: panels }, (_, i) => order[Math.floor((i * count) / panels)]!)
  return drawMembraneTraces({
    title: `Membranes of ${name} for a ${label}`,
    subtitle: [`${description.name}; ${shown.length} of ${count} neurons, from busy to quiet.`],
    traces: shown.map(
      (n): MembraneTrace => ({
        name: `neuron ${n}`,
        threshold: neuron.threshold,
        charged: over(charged, n),
        membranePotentials: over(membranePotentials, n),
        spikes: over(spikes, n),
      }),
    ),
  })
}

function raster({ description }: Network, looked: readonly Looked[]): Promise<string> {
  const { name } = neuronLayers({ description }).at(-1)!
  const rasters = looked.map(({ label, answer, layers }): SpikeRaster => {
    const { timeSteps, spikes } = layers.get(name)!
    const said = answer === label ? `${label}` : `${label} → ${answer}`
    return { name: said, timeSteps, neurons: spikes.length / timeSteps, spikes }
  })
  return drawSpikeRaster({
    title: `Spikes of ${name} by digit`,
    subtitle: [
      `${description.name}; above each panel the digit (→ what it was taken for) and how many neurons fire in a step.`,
    ],
    rasters,
  })
}
