import type { Neuron, SpikeFunction } from '@he-ml/snn-neurons'
import type { Precision } from '../tensor/signal.ts'

/** What layers are built with besides their description. */
export interface BuildOptions {
  readonly precision: Precision
  /** Seed of the initial weights. */
  readonly seed: number
  /** Stands for the exact step and its surrogate: smooth for gradient checks, a polynomial for encrypted steps. */
  readonly spikeFunction?: ((neuron: Neuron) => SpikeFunction) | undefined
}
