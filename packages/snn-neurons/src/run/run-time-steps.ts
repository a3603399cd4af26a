/** The time loop of a feed-forward spiking network in the clear. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { hardSpike, type Reals, type SpikeFunction, zerosLike } from '@he-ml/float-kernels'
import type { CodedInput } from '../coding/input-coding.ts'
import type { NeuronKernel } from '../neuron/neuron-kernel.ts'
import { createReadout, type Readout } from './readout.ts'

/** A stateless map (convolution, linear layer, pooling, normalisation) and the neurons that it drives. */
export interface SpikingStage {
  /** Input of the neurons for a step; must depend on nothing but its argument. */
  synapse(values: Reals): Reals
  /** The neurons. */
  readonly kernel: NeuronKernel
  /** Default: the exact step. */
  readonly spikeFunction?: SpikeFunction
}

/** One stage's activity in one step. The arrays are the network's own: copy what is to be kept. */
export interface StageActivity {
  /** The time step, from 0. */
  readonly t: number
  /** The stage, from 0. */
  readonly stage: number
  /** What drove the neurons: the synapse's result. */
  readonly input: Reals
  /** Membrane potentials before the reset. */
  readonly charged: Reals
  /** 0 or 1 for an exact step. */
  readonly spike: Reals
  /** Membrane potentials after the reset. */
  readonly membranePotential: Reals
}

/** Options of {@link runTimeSteps}. */
export interface RunTimeStepsOptions {
  /** What becomes of the last stage's steps. */
  readonly readout: Readout
  /** Sees every stage of every step: traces, rasters, calibration. */
  readonly observe?: (activity: StageActivity) => void
}

/**
 * Runs a chain of stages over the time steps of a coded input; membranes start at 0. The first stage of a static input is
 * driven by the same values at every step, so its synapse is computed once.
 *
 * @returns the readout of the last stage
 * @throws InvalidArgumentError without stages, or when a synapse's result changes its length or precision over time
 * @example
 * ```ts
 * import { createNeuron, createNeuronKernel, directCoding, runTimeSteps } from '@he-ml/snn-neurons'
 * const kernel = createNeuronKernel(createNeuron({ kind: 'lif', beta: 0.5, threshold: 1, reset: 'subtract' }))
 * const stages = [{ synapse: (x: Float32Array | Float64Array) => x.map((v) => 2 * v), kernel }]
 * console.log(runTimeSteps(stages, directCoding(Float32Array.of(0.1, 0.4), 4), { readout: 'spikeCount' })) // 0 2
 * ```
 */
export function runTimeSteps(
  stages: readonly SpikingStage[],
  input: CodedInput,
  { readout, observe }: RunTimeStepsOptions,
): Reals {
  if (stages.length === 0) throw new InvalidArgumentError('runTimeSteps: at least one stage is needed')
  const result = createReadout(readout)
  const running = stages.map((stage) => ({
    ...stage,
    spikeFunction: stage.spikeFunction ?? hardSpike(stage.kernel.neuron.threshold),
    arrays: undefined as { charged: Reals; spike: Reals; membranePotential: Reals } | undefined,
  }))
  let fixed: Reals | undefined
  for (let t = 0; t < input.timeSteps; t++) {
    let values = input.at(t)
    for (const [stage, state] of running.entries()) {
      const once = input.isStatic && stage === 0
      const driven: Reals = (once ? fixed : undefined) ?? state.synapse(values)
      if (once) fixed = driven
      state.arrays ??= { charged: zerosLike(driven), spike: zerosLike(driven), membranePotential: zerosLike(driven) }
      const { arrays } = state
      state.kernel.forward({ membranePotential: arrays.membranePotential, input: driven }, state.spikeFunction, arrays)
      observe?.({ t, stage, input: driven, ...arrays })
      values = arrays.spike
    }
    result.add(running.at(-1)!.arrays!)
  }
  return result.result()
}
