/** All runs of an experiment, with the settings that define each. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { spikingLenet5 } from '@he-ml/example-train-spiking-lenet5/network'
import { createNeuron, gradientWindow, type Neuron, type SurrogateDescription } from '@he-ml/snn-neurons'
import type { Experiment, SurrogateChoice } from '../experiments.ts'
import { type Cell, cellName, digestOf, type Settings } from './settings.ts'

/** One run to do. */
export interface Job {
  readonly cell: Cell
  readonly settings: Settings
  /** Of the settings: the run's identity. */
  readonly hash: string
}

/** What is known once the data are there. */
export interface Surroundings {
  readonly data: Settings['data']
  readonly inputShape: Settings['inputShape']
  /** Instructions of the kernels. */
  readonly kernel: string
}

const INPUT_CHANNELS_AND_SIDES = { mnist: [1, 28, 28], nmnist: [2, 34, 34] } as const

/** [channels, height, width] of one frame. */
export const inputShapeOf = (data: Experiment['data']): Settings['inputShape'] => INPUT_CHANNELS_AND_SIDES[data]

/**
 * The cells of an experiment, the seed outermost: stopped early, it has whole rounds, and every comparison its pairs.
 *
 * @param seeds every cell is run with the seeds 1 to this
 * @throws InvalidArgumentError for a neuron or window that is none, or one that is there twice
 */
export function gridOf(experiment: Experiment, seeds: number, surroundings: Surroundings): Job[] {
  const { name, neurons, surrogates, timeSteps, shift, recipe } = experiment
  const arms = Object.entries(neurons).flatMap(([neuronName, description]) => {
    const neuron = createNeuron(description)
    return Object.entries(surrogates).map(([surrogateName, choice]) => {
      const surrogate = resolveSurrogate(choice, neuron, timeSteps)
      const network = digestOf(spikingLenet5({ neuron, surrogate, timeSteps, inputShape: surroundings.inputShape }))
      return { neuronName, surrogateName, neuron, surrogate, network }
    })
  })
  const jobs = Array.from({ length: seeds }, (_, index) => index + 1).flatMap((seed) =>
    arms.map(({ neuronName, surrogateName, neuron, surrogate, network }): Job => {
      const cell = { experiment: name, neuron: neuronName, surrogate: surrogateName, seed }
      const plain = { ...recipe, loss: { ...recipe.loss } }
      const settings = { ...surroundings, timeSteps, shift, recipe: plain, neuron, surrogate, network, seed }
      return { cell, settings, hash: digestOf(settings) }
    }),
  )
  const twins = jobs.find(({ hash }, index) => jobs.findIndex((other) => other.hash === hash) < index)
  if (twins)
    throw new InvalidArgumentError(
      `experiment: expected runs that differ, but "${cellName(twins.cell)}" is another one under a second name`,
    )
  return jobs
}

function resolveSurrogate(choice: SurrogateChoice, neuron: Neuron, timeSteps: number): SurrogateDescription {
  return choice === 'analytic' ? gradientWindow(neuron, { timeSteps }).surrogate : choice
}
