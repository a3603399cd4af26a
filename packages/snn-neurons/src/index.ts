/**
 * Spiking neurons, each written once: LIF and QIF recurrences over an abstract arithmetic, run on numbers, arrays and gradients;
 * input coding, the time loop and readout; surrogate gradients and windows derived from the dynamics.
 *
 * @packageDocumentation
 */

export {
  completeSurrogate,
  createSurrogateGradient,
  hardSpike,
  type Reals,
  type SpikeFunction,
  type SurrogateDescription,
  type SurrogateGradient,
} from '@he-ml/float-kernels'
export { createNeuron, type LifNeuron, type Neuron, type QifNeuron, type Reset } from '@he-ml/model/spiking'
export type { Arithmetic } from './arithmetic/arithmetic.ts'
export { type Dual, dualArithmetic } from './arithmetic/dual-arithmetic.ts'
export { numberArithmetic } from './arithmetic/number-arithmetic.ts'
export { normalAt, uniformAt } from './coding/counter-random.ts'
export { type CodedInput, directCoding, eventFrames, latencyCoding, rateCoding } from './coding/input-coding.ts'
export {
  type Interval,
  largestSafeInput,
  type MembraneRange,
  membraneRange,
  qifFixedPoints,
} from './neuron/membrane-range.ts'
export { createNeuronKernel, type NeuronKernel } from './neuron/neuron-kernel.ts'
export { neuronPrograms } from './neuron/neuron-programs.ts'
export { advance, charge, drift, driftFromZero, type NeuronStep, resetMembrane } from './neuron/recurrence.ts'
export { logisticSpike, polynomialSpike } from './neuron/spike-function.ts'
export { createReadout, type Readout, type ReadoutAccumulator } from './run/readout.ts'
export { type RunTimeStepsOptions, runTimeSteps, type SpikingStage, type StageActivity } from './run/run-time-steps.ts'
export {
  backwardThroughTime,
  forwardThroughTime,
  type NeuronTrace,
  type TraceGradients,
} from './training/through-time.ts'
export {
  asymptoticHalfWidth,
  type GradientWindow,
  type GradientWindowOptions,
  gradientWindow,
  windowMismatch,
} from './window/gradient-window.ts'
export { type InputStatistics, type MembraneDensity, membraneDensity } from './window/membrane-density.ts'
