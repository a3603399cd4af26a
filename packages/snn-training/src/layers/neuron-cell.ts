/** One time step of a layer's neurons, forwards and backwards, with the membrane as it is or rounded to a grid. */
import {
  createNeuron,
  createNeuronKernel,
  hardSpike,
  type Neuron,
  type Reals,
  type SpikeFunction,
} from '@he-ml/snn-neurons'
import { type Grid, roundToGrid, stopOutsideGrid } from '../quantization/grid.ts'
import { zerosLike } from '../tensor/signal.ts'

/** Membrane potential after the last step, and this step's input. */
export interface CellState {
  readonly previous: Reals
  readonly input: Reals
}

/** Where a step's results go. */
export interface CellResult {
  readonly spike: Reals
  readonly membranePotential: Reals
  /** Before the reset, rounded if there is a grid; only when somebody observes. */
  readonly charged?: Reals
}

export interface NeuronCell {
  forward(state: CellState, result: CellResult): void
  /** `carried`: gradient of the membrane potential after this step; on return, of that before it. */
  backward(state: CellState, spikeGradient: Reals, carried: Reals, inputGradient: Reals): void
}

/** The neuron as its recurrence says. */
export function plainCell(neuron: Neuron, spikeFunction: SpikeFunction, detachReset: boolean): NeuronCell {
  const kernel = createNeuronKernel(neuron)
  return {
    forward: ({ previous, input }, result) =>
      kernel.forward({ membranePotential: previous, input }, spikeFunction, result),
    backward({ previous, input }, spikeGradient, carried, inputGradient) {
      const gradients = { spike: spikeGradient, membranePotential: carried }
      const result = { membranePotential: carried, input: inputGradient }
      kernel.backward({ membranePotential: previous, input }, spikeFunction, gradients, result, { detachReset })
    },
  }
}

/**
 * Charge, round to the grid, then step and reset. The two halves are neurons themselves: one without reset (its membrane is
 * the charged one), and one that keeps nothing from the last step (it only fires and resets).
 */
export function gridCell(neuron: Neuron, grid: Grid, spikeFunction: SpikeFunction, detachReset: boolean): NeuronCell {
  const { threshold, reset } = neuron
  const charging = createNeuronKernel(createNeuron({ ...neuron, reset: 'none' }))
  const firing = createNeuronKernel(createNeuron({ kind: 'lif', beta: 0, threshold, reset }))
  const unused = hardSpike(threshold)
  const charge = ({ previous, input }: CellState) => {
    const charged = zerosLike(input)
    const result = { spike: zerosLike(input), membranePotential: charged }
    charging.forward({ membranePotential: previous, input }, unused, result)
    return charged
  }
  return {
    forward(state, result) {
      const charged = charge(state)
      roundToGrid(charged, grid, charged)
      result.charged?.set(charged)
      firing.forward({ membranePotential: zerosLike(charged), input: charged }, spikeFunction, {
        spike: result.spike,
        membranePotential: result.membranePotential,
      })
    },
    backward(state, spikeGradient, carried, inputGradient) {
      const charged = charge(state)
      const rounded = zerosLike(charged)
      roundToGrid(charged, grid, rounded)
      const zero = zerosLike(charged)
      firing.backward(
        { membranePotential: zero, input: rounded },
        spikeFunction,
        { spike: spikeGradient, membranePotential: carried },
        { membranePotential: zerosLike(charged), input: carried },
        { detachReset },
      )
      stopOutsideGrid(charged, grid, carried)
      charging.backward(
        { membranePotential: state.previous, input: state.input },
        unused,
        { spike: zero, membranePotential: carried },
        { membranePotential: carried, input: inputGradient },
      )
    },
  }
}
