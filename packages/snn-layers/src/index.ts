/**
 * Encrypted spiking layers: neurons with their state, the port for their step, trained spiking models.
 *
 * @packageDocumentation
 */

export { type FunctionalStepOptions, functionalSpikeStep } from './functional-step.ts'
export {
  buildSpikingModel,
  type ImportSpikingOptions,
  importSpikingModel,
  type NeuronsRead,
} from './import-spiking-model.ts'
export { type PolynomialStepOptions, polynomialSpikeStep } from './polynomial-step.ts'
export type {
  ExactStep,
  FittedStep,
  PreparedStep,
  SoftStep,
  SpikeCell,
  SpikeStep,
  StepCircuit,
  StepFactors,
} from './spike-step.ts'
export { SpikingLayer, type SpikingOptions, spiking } from './spiking-layer.ts'
