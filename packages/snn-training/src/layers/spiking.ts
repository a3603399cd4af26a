import type { NeuronBackward, NeuronTask } from '@he-ml/float-kernels'
import { countClipped, type NeuronKernels, neuronKernelsWith } from '@he-ml/float-kernels'
import type { Shape } from '@he-ml/model'
import type { NeuronDescription } from '@he-ml/model/spiking'
import {
  completeSurrogate,
  createNeuron,
  neuronPrograms,
  type Reals,
  type SurrogateDescription,
} from '@he-ml/snn-neurons'
import type { Signal } from '../tensor/signal.ts'
import { Kept } from './kept.ts'
import type { Layer, Pass } from './layer.ts'
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
  readonly #neurons: Pick<NeuronTask, 'charge' | 'reset' | 'threshold' | 'grid'>
  readonly #differentiation: Pick<NeuronBackward, 'surrogate' | 'detachReset'>
  /** Runs another step than the exact one, which is all that the pass's kernels know. */
  readonly #ownKernels: NeuronKernels | undefined
  /** {@link NeuronBackward.pull} of a batch of one. */
  readonly #pull: number
  readonly #kept: Kept<Forward>

  constructor(description: NeuronDescription, inputShape: Shape, { spikeFunction }: BuildOptions) {
    const { name, grid, detachReset, surrogate, rangePenalty } = description
    const neuron = createNeuron(description.neuron)
    this.name = name
    this.outputShape = inputShape
    this.#readsMembrane = description.output === 'membrane'
    this.#neurons = { ...neuronPrograms(neuron), threshold: neuron.threshold, ...(grid && { grid }) }
    this.#differentiation = { surrogate: completeSurrogate(surrogateOf(surrogate)), detachReset }
    this.#pull = rangePenalty / neuron.threshold ** 2
    this.#ownKernels = spikeFunction && neuronKernelsWith(spikeFunction(neuron))
    this.#kept = new Kept(name)
  }

  async forward(input: Signal, pass: Pass): Promise<Signal> {
    const { kernels, timeSteps, training, observe, allocate, release } = pass
    const length = (input.data.length / input.steps) * timeSteps
    const [spikes, membranePotentials] = [allocate(length), allocate(length)]
    const charged = observe && allocate(length)
    const task = this.#taskFor(input, timeSteps)
    await (this.#ownKernels ?? kernels).neurons({ ...task, spikes, membranePotentials, ...(charged && { charged }) })
    if (charged) {
      const clipped = () => countClipped({ ...task, membranePotentials })
      observe({ layer: this.name, timeSteps, spikes, charged, membranePotentials, countClipped: clipped })
      release(charged)
    }
    this.#kept.put({ input, membranePotentials }, training)
    const [data, other] = this.#readsMembrane ? [membranePotentials, spikes] : [spikes, membranePotentials]
    if (!training) release(other)
    return { ...input, data, steps: timeSteps }
  }

  async backward(gradient: Signal, { kernels, timeSteps, allocate }: Pass): Promise<Signal> {
    const { input, membranePotentials } = this.#kept.take()
    const inputGradient = allocate(input.data.length)
    await (this.#ownKernels ?? kernels).neuronsBackward({
      ...this.#taskFor(input, timeSteps),
      ...this.#differentiation,
      pull: this.#pull / input.batch,
      membranePotentials,
      [this.#readsMembrane ? 'membraneGradient' : 'spikeGradient']: gradient.data,
      inputGradient,
    })
    return { ...input, data: inputGradient }
  }

  #taskFor({ data, steps }: Signal, timeSteps: number): NeuronTask {
    return { ...this.#neurons, timeSteps, inputSteps: steps, input: data }
  }
}

/** An absent height is absent, not undefined. */
const surrogateOf = ({ kind, width, height }: NeuronDescription['surrogate']): SurrogateDescription => ({
  kind,
  width,
  ...(height !== undefined && { height }),
})
