/**
 * LeNet-5 with spiking neurons, as PrivSpike (arXiv 2510.03995) runs it encrypted: convolution, normalisation, neurons, average
 * pooling, twice; two layers of 120 and 84 neurons; scores are the mean over time of a linear layer.
 */
import { createNeuron, gradientWindow, type SurrogateDescription } from '@he-ml/snn-neurons'
import type { NetworkRecipe, NeuronDescription } from '@he-ml/snn-training'

/** A neuron as plain data. */
export type NeuronModel = NeuronDescription['neuron']

/** The two neurons that the examples compare. */
export const NEURONS = {
  lif: { kind: 'lif', beta: 0.5, threshold: 1, reset: 'subtract' },
  qif: { kind: 'qif', a: 0.25, u1: 0, u2: 0.5, threshold: 1, reset: 'zero' },
} as const satisfies Record<string, NeuronModel>

export type NeuronName = keyof typeof NEURONS

export interface SpikingLenet5Options {
  readonly neuron: NeuronModel
  readonly timeSteps: number
  /** [1, 28, 28] for digits, [2, 34, 34] for recordings of events. */
  readonly inputShape: readonly [channels: number, height: number, width: number]
  /** Recordings have a frame for each time step; default 'static'. */
  readonly inputTime?: NetworkRecipe['inputTime']
  /** Default: the window that follows from the neuron's dynamics. */
  readonly surrogate?: SurrogateDescription
}

/** The network, untrained. Images of 28 x 28 are padded to 32 x 32, as LeCun did; larger ones are not. */
export function spikingLenet5(options: SpikingLenet5Options): NetworkRecipe {
  const { neuron, timeSteps, inputShape, inputTime, surrogate } = options
  const window = surrogate ?? gradientWindow(createNeuron(neuron), { timeSteps }).surrogate
  const { threshold } = neuron
  const spiking = (name: string) => ({ kind: 'neuron', name, neuron, surrogate: window }) as const
  const normalised = (name: string) => ({ kind: 'tdBatchNorm', name, threshold }) as const
  const convolution = (name: string, outChannels: number, padding: number) =>
    ({ kind: 'conv2d', name, outChannels, kernel: [5, 5], padding, bias: false }) as const
  const pool = (name: string) => ({ kind: 'averagePool2d', name, kernel: 2, stride: 2 }) as const
  const linear = (name: string, outFeatures: number) => ({ kind: 'linear', name, outFeatures, bias: false }) as const
  return {
    name: `spiking LeNet-5, ${neuron.kind.toUpperCase()}, T = ${timeSteps}`,
    inputShape: [...inputShape],
    timeSteps,
    ...(inputTime ? { inputTime } : {}),
    layers: [
      convolution('conv1', 6, inputShape[1] === 28 ? 2 : 0),
      normalised('norm1'),
      spiking('neurons1'),
      pool('pool1'),
      convolution('conv2', 16, 0),
      normalised('norm2'),
      spiking('neurons2'),
      pool('pool2'),
      { kind: 'flatten', name: 'flatten' },
      linear('fc1', 120),
      normalised('norm3'),
      spiking('neurons3'),
      linear('fc2', 84),
      normalised('norm4'),
      spiking('neurons4'),
      { kind: 'linear', name: 'fc3', outFeatures: 10 },
    ],
  }
}
