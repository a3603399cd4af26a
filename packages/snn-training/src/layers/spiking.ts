import {
  createNeuron,
  createSurrogateGradient,
  hardSpike,
  type Reals,
  type SurrogateDescription,
} from '@he-ml/snn-neurons'
import type { NeuronDescription } from '../network/description.ts'
import { type Shape, type Signal, sumOverTime, zerosLike } from '../tensor/signal.ts'
import { Kept } from './kept.ts'
import type { Layer, Pass } from './layer.ts'
import { gridCell, type NeuronCell, plainCell } from './neuron-cell.ts'
import type { BuildOptions } from './options.ts'

interface Forward {
  readonly input: Signal
  /** After each step, [timeSteps, batch, ...shape]. */
  readonly membranePotentials: Reals
}

/**
 * LIF or QIF neurons, unrolled over time from u = 0. Forwards the step is exact; backwards, through time, its derivative is
 * the description's surrogate. The output is the spikes, or with output 'membrane' (and reset 'none') the potentials.
 */
export class SpikingLayer implements Layer {
  readonly name: string
  readonly outputShape: Shape
  readonly parameters = []
  readonly statistics = []
  readonly #readsMembrane: boolean
  readonly #cell: NeuronCell
  readonly #kept: Kept<Forward>

  constructor(description: NeuronDescription, inputShape: Shape, { spikeFunction }: BuildOptions) {
    const { name, grid, detachReset, surrogate } = description
    const neuron = createNeuron(description.neuron)
    const step = spikeFunction?.(neuron) ?? hardSpike(neuron.threshold, createSurrogateGradient(surrogateOf(surrogate)))
    this.name = name
    this.outputShape = inputShape
    this.#readsMembrane = description.output === 'membrane'
    this.#cell = grid ? gridCell(neuron, grid, step, detachReset) : plainCell(neuron, step, detachReset)
    this.#kept = new Kept(name)
  }

  async forward(input: Signal, { timeSteps, training, observe }: Pass): Promise<Signal> {
    const size = input.data.length / input.steps
    const spikes = zerosLike(input.data, timeSteps * size)
    const membranePotentials = zerosLike(spikes)
    const charged = observe && zerosLike(spikes)
    let previous = zerosLike(input.data, size)
    for (let t = 0; t < timeSteps; t++) {
      const next = stepOf(membranePotentials, t, size)
      const state = { previous, input: inputAt(input, t, size) }
      const spike = stepOf(spikes, t, size)
      const observed = charged && { charged: stepOf(charged, t, size) }
      this.#cell.forward(state, { spike, membranePotential: next, ...observed })
      previous = next
    }
    if (charged) observe({ layer: this.name, timeSteps, spikes, charged, membranePotentials })
    this.#kept.put({ input, membranePotentials }, training)
    const data = this.#readsMembrane ? membranePotentials : spikes
    return { ...input, data, steps: timeSteps }
  }

  async backward(gradient: Signal, { timeSteps }: Pass): Promise<Signal> {
    const { input, membranePotentials } = this.#kept.take()
    const size = input.data.length / input.steps
    const data = zerosLike(membranePotentials)
    const zero = zerosLike(data, size)
    const carried = zerosLike(data, size)
    for (let t = timeSteps - 1; t >= 0; t--) {
      const own = stepOf(gradient.data, t, size)
      if (this.#readsMembrane) for (let i = 0; i < size; i++) carried[i] = carried[i]! + own[i]!
      const previous = t === 0 ? zero : stepOf(membranePotentials, t - 1, size)
      const state = { previous, input: inputAt(input, t, size) }
      this.#cell.backward(state, this.#readsMembrane ? zero : own, carried, stepOf(data, t, size))
    }
    return sumOverTime({ ...input, data, steps: timeSteps }, input.steps)
  }
}

const stepOf = (values: Reals, t: number, size: number): Reals => values.subarray(t * size, (t + 1) * size)

/** An absent height is absent, not undefined. */
const surrogateOf = ({ kind, width, height }: NeuronDescription['surrogate']): SurrogateDescription => ({
  kind,
  width,
  ...(height !== undefined && { height }),
})

/** A static input is the same at every step. */
const inputAt = ({ data, steps }: Signal, t: number, size: number): Reals => stepOf(data, steps === 1 ? 0 : t, size)
