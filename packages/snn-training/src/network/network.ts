/** A network in the clear: built from plain data, run forwards over time, differentiated backwards through it. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { FloatKernels } from '@he-ml/float-kernels'
import { referenceKernels, roundToGrid } from '@he-ml/float-kernels'
import type { NetworkDescription, NetworkRecipe } from '@he-ml/model/spiking'
import { checkNetwork } from '@he-ml/model/spiking'
import type { Neuron, Reals, SpikeFunction } from '@he-ml/snn-neurons'
import type { NamedValues, NeuronActivity, Parameter, Pass } from '../layers/layer.ts'
import type { Sequence } from '../layers/sequence.ts'
import { createSignal, type Precision, repeatOverTime, type Signal, sumOverTime } from '../tensor/signal.ts'
import { type Lease, Workspace } from '../tensor/workspace.ts'
import { buildSequence } from './build.ts'

/** Options of {@link createNetwork}. */
export interface NetworkOptions {
  /** Default 'float32'. Double precision (for gradient checks) always runs on the reference kernels. */
  readonly precision?: Precision
  /** Seed of the initial weights; default 0. */
  readonly seed?: number
  /** The heavy arithmetic in single precision; default {@link referenceKernels}. */
  readonly kernels?: FloatKernels<Float32Array>
  /** Replaces every neuron's exact step and surrogate; neurons then run on the reference kernels. */
  readonly spikeFunction?: (neuron: Neuron) => SpikeFunction
}

/** Options of one forward pass. */
export interface ForwardOptions {
  /** Keep what {@link Network.backward} needs, drop in dropout, normalise by the batch; default false: inference. */
  readonly training?: boolean
  /** In training: normalise by running statistics and leave them alone. */
  readonly frozenStatistics?: boolean
  /** In training: seed of this pass's dropout; default 0. */
  readonly seed?: number
  /** Sees every layer of neurons; the arrays are valid until it returns. */
  readonly observe?: (activity: NeuronActivity) => void
}

/** See {@link createNetwork}. One pass at a time; inference may come between a forward pass in training and its backward pass. */
export class Network {
  /** What it was made from, defaults filled in. */
  readonly description: NetworkDescription
  /** As they were given. */
  readonly options: NetworkOptions
  /** Of weights and signals. */
  readonly precision: Precision
  /** What training changes: weights and biases of all layers. */
  readonly parameters: readonly Parameter[]
  /** Running statistics of normalisations. */
  readonly statistics: readonly NamedValues[]
  readonly #sequence: Sequence
  readonly #kernels: FloatKernels
  readonly #workspace: Workspace
  /** Of the last forward pass in training, until its backward pass. */
  #last: { readonly pass: Pass; readonly lease: Lease; readonly steps: number } | undefined

  constructor(description: NetworkDescription, options: NetworkOptions) {
    const { precision = 'float32', seed = 0, spikeFunction, kernels } = options
    this.description = description
    this.options = options
    this.precision = precision
    this.#workspace = new Workspace(precision)
    this.#kernels = precision === 'float32' && kernels ? singlePrecision(kernels) : referenceKernels
    this.#sequence = buildSequence('network', description.layers, description.inputShape, {
      precision,
      seed,
      spikeFunction,
    })
    this.parameters = this.#sequence.parameters
    this.statistics = this.#sequence.statistics
  }

  /** Number of features that the last layer gives. */
  get classes(): number {
    return this.#sequence.outputShape[0]!
  }

  /** Everything that is saved: parameters and running statistics. */
  get state(): readonly NamedValues[] {
    return [...this.parameters, ...this.statistics]
  }

  /**
   * The last layer's output at every time step, [timeSteps, batch, classes].
   *
   * @param input [1 or timeSteps, batch, ...inputShape]; with one step it is the same at every time step, and all layers
   * before the first neurons are computed once. A network whose `inputTime` is 'perStep' takes timeSteps only
   * @throws InvalidArgumentError for an input of another shape or precision
   */
  async forward(input: Signal, options: ForwardOptions = {}): Promise<Signal> {
    this.#check(input)
    const { training = false, frozenStatistics = false, seed = 0, observe } = options
    const { timeSteps } = this.description
    if (training) {
      this.#last?.lease.end()
      this.#last = undefined
    }
    const lease = this.#workspace.begin()
    const pass: Pass = { ...lease, kernels: this.#kernels, timeSteps, training, frozenStatistics, seed, observe }
    const read = this.#read(input, lease)
    const output = await this.#sequence.forward(read, pass)
    const result = repeatOverTime(output, timeSteps)
    lease.keep(result.data)
    if (training) this.#last = { pass, lease, steps: output.steps }
    else lease.end()
    return result
  }

  /**
   * Sets every parameter's gradient for the last forward pass in training.
   *
   * @param gradient of the loss with respect to that pass's result
   * @throws InvalidArgumentError without such a pass, or for another shape
   */
  async backward(gradient: Signal): Promise<void> {
    const last = this.#last
    if (!last) throw new InvalidArgumentError('network: expected forward({ training: true }) before backward, got none')
    this.#last = undefined
    createSignal(gradient)
    await this.#sequence.backward(sumOverTime(gradient, last.steps, last.pass.allocate), last.pass, false)
    last.lease.end()
  }

  /** The input, on its grid if it has one. */
  #read(input: Signal, lease: Lease): Signal {
    const { inputGrid } = this.description
    if (!inputGrid) return input
    const data = lease.allocate(input.data.length)
    roundToGrid(input.data, inputGrid, data)
    return { ...input, data }
  }

  #check(input: Signal): void {
    const { inputShape, timeSteps, inputTime } = this.description
    createSignal(input)
    const perStep = inputTime === 'perStep'
    if (`${input.shape}` !== `${inputShape}` || (input.steps !== timeSteps && (perStep || input.steps !== 1)))
      throw new InvalidArgumentError(
        `network: expected ${perStep ? '' : '1 or '}${timeSteps} steps of [${inputShape}]${perStep ? ", as its input is 'perStep'" : ''}, got ${input.steps} of [${input.shape}]`,
      )
    if (input.data instanceof Float32Array !== (this.precision === 'float32'))
      throw new InvalidArgumentError(`network: expected an input in ${this.precision}: convert it`)
  }
}

/**
 * A network from plain data, with seeded initial weights.
 *
 * @throws InvalidArgumentError that names the field or the layer that does not fit
 * @example
 * ```ts
 * import { createNetwork, meanOverTime } from '@he-ml/snn-training'
 * const network = createNetwork({
 *   name: 'tiny',
 *   inputShape: [2],
 *   timeSteps: 4,
 *   layers: [
 *     { kind: 'linear', name: 'fc1', outFeatures: 8 },
 *     {
 *       kind: 'neuron',
 *       name: 'lif1',
 *       neuron: { kind: 'lif', beta: 0.5, threshold: 1, reset: 'subtract' },
 *       surrogate: { kind: 'arctangent', width: 0.5 },
 *     },
 *     { kind: 'linear', name: 'fc2', outFeatures: 2 },
 *   ],
 * })
 * const output = await network.forward({ data: Float32Array.of(1, 0), steps: 1, batch: 1, shape: [2] })
 * console.log(meanOverTime(output)) // two scores
 * ```
 */
export function createNetwork(recipe: NetworkRecipe, options: NetworkOptions = {}): Network {
  return new Network(checkNetwork(recipe), options)
}

/** Scores: the mean over time of a network's output, [batch, classes]. */
export function meanOverTime(output: Signal): Reals {
  return sumOverTime(output, 1).data.map((sum) => sum / output.steps)
}

/** Kernels for Float32Array only; a network in single precision gives them nothing else. */
function singlePrecision(kernels: FloatKernels<Float32Array>): FloatKernels {
  return kernels as FloatKernels
}
