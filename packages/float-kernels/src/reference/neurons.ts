/** Neurons over time in plain TypeScript, for any step: the exact one with its surrogate, or a smooth one. */
import type { Grid } from '@he-ml/model/spiking'
import { isInsideGrid, roundToGrid, stopOutsideGrid } from '../neurons/grid.ts'
import { createProgramKernel } from '../neurons/program-kernel.ts'
import { hardSpike, type SpikeFunction } from '../neurons/spike-function.ts'
import type { NeuronBackward, NeuronForward, NeuronTask } from '../port/neuron-tasks.ts'
import { type Reals, zerosLike } from '../reals.ts'

const stepOf = (values: Reals, t: number, size: number): Reals => values.subarray(t * size, (t + 1) * size)

function kernelOf({ charge, reset, grid }: NeuronTask, pull = 0) {
  return createProgramKernel({ charge, reset }, grid && roundingTo(grid, pull))
}

const roundingTo = (grid: Grid, pull: number) => ({
  round: (charged: Reals) => roundToGrid(charged, grid, charged),
  pullBack: (charged: Reals, gradient: Reals) => stopOutsideGrid(charged, grid, gradient, pull),
})

/** Charge, round, step, reset; the task's threshold is `step`'s business. */
export function runNeurons(task: NeuronForward, step: SpikeFunction): void {
  const { timeSteps, inputSteps, input, spikes, membranePotentials, charged } = task
  const kernel = kernelOf(task)
  const size = input.length / inputSteps
  let previous = zerosLike(input, size)
  for (let t = 0; t < timeSteps; t++) {
    const next = stepOf(membranePotentials, t, size)
    kernel.forward({ membranePotential: previous, input: stepOf(input, inputSteps === 1 ? 0 : t, size) }, step, {
      spike: stepOf(spikes, t, size),
      membranePotential: next,
      ...(charged && { charged: stepOf(charged, t, size) }),
    })
    previous = next
  }
}

/** How many of a layer's charged membranes lie beyond its grid before they are rounded; `membranePotentials` as the forward pass left them. */
export function countClipped(task: NeuronTask & Pick<NeuronForward, 'membranePotentials'>): number {
  const { charge, reset, grid, threshold, timeSteps, inputSteps, input, membranePotentials } = task
  if (!grid) return 0
  const size = input.length / inputSteps
  let count = 0
  const counting = {
    round: (charged: Reals) => {
      for (let i = 0; i < charged.length; i++) if (!isInsideGrid(charged[i]!, grid)) count++
    },
    pullBack: () => {},
  }
  const kernel = createProgramKernel({ charge, reset }, counting)
  const [spike, next] = [zerosLike(input, size), zerosLike(input, size)]
  for (let t = 0; t < timeSteps; t++) {
    const before = t === 0 ? zerosLike(input, size) : stepOf(membranePotentials, t - 1, size)
    const state = { membranePotential: before, input: stepOf(input, inputSteps === 1 ? 0 : t, size) }
    kernel.forward(state, hardSpike(threshold), { spike, membranePotential: next })
  }
  return count
}

/** Backwards through time, with the derivative of `step`. */
export function runNeuronsBackward(task: NeuronBackward, step: SpikeFunction): void {
  const { timeSteps, inputSteps, input, membranePotentials, spikeGradient, membraneGradient, detachReset } = task
  const kernel = kernelOf(task, task.pull)
  const size = input.length / inputSteps
  const zero = zerosLike(input, size)
  const carried = zerosLike(input, size)
  const perStep = inputSteps === timeSteps ? task.inputGradient : zerosLike(input, timeSteps * size)
  for (let t = timeSteps - 1; t >= 0; t--) {
    if (membraneGradient) addTo(carried, stepOf(membraneGradient, t, size))
    kernel.backward(
      {
        membranePotential: t === 0 ? zero : stepOf(membranePotentials, t - 1, size),
        input: stepOf(input, inputSteps === 1 ? 0 : t, size),
      },
      step,
      { spike: spikeGradient ? stepOf(spikeGradient, t, size) : zero, membranePotential: carried },
      { membranePotential: carried, input: stepOf(perStep, t, size) },
      { detachReset },
    )
  }
  if (perStep === task.inputGradient) return
  task.inputGradient.fill(0)
  for (let t = 0; t < timeSteps; t++) addTo(task.inputGradient, stepOf(perStep, t, size))
}

function addTo(sum: Reals, values: Reals): void {
  for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + values[i]!
}
