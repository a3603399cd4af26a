/** A population of neurons over all time steps, forwards and backwards (backpropagation through time). */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { SpikeFunction } from '@he-ml/float-kernels'
import { type Reals, requireAlike, zerosLike } from '@he-ml/float-kernels'
import type { NeuronKernel } from '../neuron/neuron-kernel.ts'

/** What a forward pass leaves for the backward pass; all [timeSteps, neurons], row-major. */
export interface NeuronTrace {
  /** How many steps there are. */
  readonly timeSteps: number
  /** What drove the neurons. */
  readonly input: Reals
  /** What the spike function gave. */
  readonly spikes: Reals
  /** Membrane potentials before the reset. */
  readonly charged: Reals
  /** Membrane potentials after the reset. */
  readonly membranePotentials: Reals
}

/**
 * Runs neurons from u = 0 through `timeSteps` steps.
 *
 * @param input [timeSteps, neurons]
 * @throws InvalidArgumentError unless the input divides into time steps
 */
export function forwardThroughTime(
  kernel: NeuronKernel,
  spikeFunction: SpikeFunction,
  input: Reals,
  timeSteps: number,
): NeuronTrace {
  const neurons = perStep(input, timeSteps)
  const trace: NeuronTrace = {
    timeSteps,
    input,
    spikes: zerosLike(input),
    charged: zerosLike(input),
    membranePotentials: zerosLike(input),
  }
  let previous = zerosLike(input, neurons)
  for (let t = 0; t < timeSteps; t++) {
    const at = (values: Reals) => values.subarray(t * neurons, (t + 1) * neurons)
    const next = at(trace.membranePotentials)
    kernel.forward({ membranePotential: previous, input: at(input) }, spikeFunction, {
      spike: at(trace.spikes),
      charged: at(trace.charged),
      membranePotential: next,
    })
    previous = next
  }
  return trace
}

/** Gradients of the loss with respect to what a forward pass gave; either may be left out. */
export interface TraceGradients {
  /** [timeSteps, neurons] */
  readonly spikes?: Reals
  /** With respect to the membrane potentials after the reset, [timeSteps, neurons]. */
  readonly membranePotentials?: Reals
}

/**
 * Gradient of the loss with respect to the input, [timeSteps, neurons].
 * @throws InvalidArgumentError when a gradient's length or precision is not the trace's
 */
export function backwardThroughTime(
  kernel: NeuronKernel,
  spikeFunction: SpikeFunction,
  trace: NeuronTrace,
  gradients: TraceGradients,
  options: { readonly detachReset?: boolean } = {},
): Reals {
  const { timeSteps, input, membranePotentials } = trace
  const neurons = perStep(input, timeSteps)
  requireAlike('backwardThroughTime', {
    input,
    'gradient of spikes': gradients.spikes,
    'gradient of membranePotentials': gradients.membranePotentials,
  })
  const result = zerosLike(input)
  const zero = zerosLike(input, neurons)
  const carried = zerosLike(input, neurons)
  for (let t = timeSteps - 1; t >= 0; t--) {
    const at = (values: Reals, step = t) => values.subarray(step * neurons, (step + 1) * neurons)
    if (gradients.membranePotentials) {
      const own = at(gradients.membranePotentials)
      for (let i = 0; i < neurons; i++) carried[i] = carried[i]! + own[i]!
    }
    kernel.backward(
      { membranePotential: t === 0 ? zero : at(membranePotentials, t - 1), input: at(input) },
      spikeFunction,
      { spike: gradients.spikes ? at(gradients.spikes) : zero, membranePotential: carried },
      { membranePotential: carried, input: at(result) },
      options,
    )
  }
  return result
}

function perStep(input: Reals, timeSteps: number): number {
  const neurons = input.length / timeSteps
  if (!(Number.isInteger(timeSteps) && timeSteps >= 1 && Number.isInteger(neurons)))
    throw new InvalidArgumentError(`${input.length} values do not divide into ${timeSteps} time steps`)
  return neurons
}
