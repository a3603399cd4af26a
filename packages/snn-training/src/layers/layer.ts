/**
 * A layer of a network in training: forwards, then backwards with what the forward pass kept. A layer is used once per pass,
 * so a backward pass overwrites its gradients instead of adding to them.
 */

import type { FloatKernels } from '@he-ml/float-kernels'
import type { Shape } from '@he-ml/model'
import type { Reals } from '@he-ml/snn-neurons'
import type { Signal } from '../tensor/signal.ts'
import type { Lease } from '../tensor/workspace.ts'

/** Values that are saved under a name, `layer.what`. */
export interface NamedValues {
  /** `layer.what`, unique in a network. */
  readonly name: string
  /** Sizes of `value`. */
  readonly shape: Shape
  /** Row-major; changed in place by whoever owns it. */
  readonly value: Reals
}

/** Values that an optimiser changes. */
export interface Parameter extends NamedValues {
  /** Set by the backward pass. */
  readonly gradient: Reals
  /** Whether weight decay applies: weights yes, biases and normalisation no. */
  readonly decays: boolean
}

/**
 * A layer of neurons in one forward pass; all arrays [timeSteps, batch, ...shape]. They are valid until the callback returns,
 * and then used for something else: copy what is to be kept.
 */
export interface NeuronActivity {
  /** Name of the layer. */
  readonly layer: string
  /** Time steps of all arrays. */
  readonly timeSteps: number
  /** 0 or 1 for each neuron. */
  readonly spikes: Reals
  /** Before the reset, rounded if the layer has a grid. */
  readonly charged: Reals
  /** After the reset. */
  readonly membranePotentials: Reals
  /** How many charged membranes the layer's grid clipped (0 without one). Takes a pass over the layer when called. */
  countClipped(): number
}

/** What all layers need to know in one pass. Their outputs and temporary arrays are {@link Lease.allocate}d from it. */
export interface Pass extends Pick<Lease, 'allocate' | 'allocateIndices' | 'release'> {
  readonly kernels: FloatKernels
  readonly timeSteps: number
  /** Keep what a backward pass needs; dropout drops. */
  readonly training: boolean
  /** Normalise by running statistics although training; inference always does. */
  readonly frozenStatistics: boolean
  /** Seed of this pass's randomness (dropout). */
  readonly seed: number
  /** Sees every layer of neurons: traces, rasters, ranges for grids. */
  readonly observe?: ((activity: NeuronActivity) => void) | undefined
}

/** A layer made for one input shape and one precision. */
export interface Layer {
  readonly name: string
  readonly outputShape: Shape
  readonly parameters: readonly Parameter[]
  /** Running statistics: saved, but not trained. */
  readonly statistics: readonly NamedValues[]
  forward(input: Signal, pass: Pass): Promise<Signal>
  /**
   * Gradients of the parameters and, unless `wantInput` is false, of the input, for the last forward pass in training.
   * @throws InvalidArgumentError without one
   */
  backward(gradient: Signal, pass: Pass, wantInput: boolean): Promise<Signal | undefined>
}
