/**
 * The experiments as data: what is compared, and the budget that all of its runs share. Change numbers here, or take another
 * --out: results of different budgets are never mixed.
 */
import { NEURONS, type NeuronModel } from '@he-ml/example-train-spiking-lenet5/network'
import type { SurrogateDescription } from '@he-ml/snn-neurons'
import type { TrainingRecipeInput } from '@he-ml/snn-training'

/** The window that follows from the neuron's dynamics, or one set by hand. */
export type SurrogateChoice = 'analytic' | SurrogateDescription

export interface Experiment {
  readonly name: string
  /** MNIST digits, or recordings of them by a simulated event camera. */
  readonly data: 'mnist' | 'nmnist'
  /** The first so many training samples; all test samples are always used. */
  readonly trainSamples: number
  readonly timeSteps: number
  /** Random shifts by up to so many pixels each way; 0 for none. */
  readonly shift: number
  /** Everything else of a run but its seed. */
  readonly recipe: Omit<TrainingRecipeInput, 'seed'>
  readonly neurons: Readonly<Record<string, NeuronModel>>
  readonly surrogates: Readonly<Record<string, SurrogateChoice>>
}

const recipe = {
  batchSize: 64,
  loss: { kind: 'crossEntropy' },
  optimizer: { kind: 'adam' },
  schedule: { learningRate: 0.002, warmupSteps: 50 },
} as const

/** The two neurons differ in their resets too; the third tells what of a difference is the reset's. */
const WITH_RESET: Experiment['neurons'] = { ...NEURONS, 'lif reset to zero': { ...NEURONS.lif, reset: 'zero' } }

/** Rectangles have area 1 where no height is given, so that only their width differs. */
const WINDOWS: Experiment['surrogates'] = {
  analytic: 'analytic',
  'rectangle 0.25': { kind: 'rectangle', width: 0.25 },
  'rectangle 0.5': { kind: 'rectangle', width: 0.5 },
  'rectangle 1': { kind: 'rectangle', width: 1 },
  'rectangle 2': { kind: 'rectangle', width: 2 },
  'fast sigmoid 0.5': { kind: 'fastSigmoid', width: 0.5 },
  'arctangent 0.5': { kind: 'arctangent', width: 0.5 },
}

export const EXPERIMENTS: readonly Experiment[] = [
  {
    name: 'neurons-mnist',
    data: 'mnist',
    trainSamples: 60_000,
    timeSteps: 4,
    shift: 0,
    recipe: { ...recipe, epochs: 3 },
    neurons: WITH_RESET,
    surrogates: { analytic: 'analytic' },
  },
  {
    name: 'neurons-nmnist',
    data: 'nmnist',
    trainSamples: 10_000,
    timeSteps: 5,
    shift: 0,
    recipe: { ...recipe, epochs: 5 },
    neurons: WITH_RESET,
    surrogates: { analytic: 'analytic' },
  },
  {
    name: 'windows-mnist',
    data: 'mnist',
    trainSamples: 10_000,
    timeSteps: 4,
    shift: 0,
    recipe: { ...recipe, epochs: 4 },
    neurons: NEURONS,
    surrogates: WINDOWS,
  },
  {
    name: 'windows-nmnist',
    data: 'nmnist',
    trainSamples: 5_000,
    timeSteps: 5,
    shift: 0,
    recipe: { ...recipe, epochs: 4 },
    neurons: NEURONS,
    surrogates: WINDOWS,
  },
]

/** Repetitions of every cell. */
export const DEFAULT_SEEDS = 5

/** What a command line may change. */
export interface BudgetChange {
  readonly epochs?: number | undefined
  readonly trainSamples?: number | undefined
}

/** A part of a run that warms up at most. */
const LONGEST_WARM_UP = 0.1

/** The same experiment with another number of epochs or samples; a short run warms up for less. */
export function withBudget(
  experiment: Experiment,
  { epochs = experiment.recipe.epochs, trainSamples = experiment.trainSamples }: BudgetChange,
): Experiment {
  const { recipe } = experiment
  const steps = epochs * Math.ceil(trainSamples / recipe.batchSize)
  const warmupSteps = Math.min(recipe.schedule.warmupSteps ?? 0, Math.floor(LONGEST_WARM_UP * steps))
  return { ...experiment, trainSamples, recipe: { ...recipe, epochs, schedule: { ...recipe.schedule, warmupSteps } } }
}
