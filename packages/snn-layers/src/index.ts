/**
 * Encrypted spiking layers: neurons with their state, the port for their step, trained spiking models.
 *
 * @packageDocumentation
 */
export { buildSpikingModel, type ImportSpikingOptions, importSpikingModel } from './import-spiking-model.ts'
export { type PolynomialStepOptions, polynomialSpikeStep } from './polynomial-step.ts'
export type { FittedStep, PreparedStep, SpikeStep, StepCircuit } from './spike-step.ts'
export { SpikingLayer, type SpikingOptions, spiking } from './spiking-layer.ts'
