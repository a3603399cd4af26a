/** From single runs to means and differences, with what may be said of them. Accuracies are shares, between 0 and 1. */

import type { CellRecord, TrainedResult } from '../cells/record.ts'
import { type Budget, budgetOf } from '../cells/settings.ts'
import { EXPERIMENTS } from '../experiments.ts'
import { type Estimate, estimateMean, type Interval } from '../statistics/estimate.ts'
import { neuronLabel } from './neuron-label.ts'

/** A run that did not diverge. */
export interface TrainedRun {
  readonly seed: number
  readonly result: TrainedResult
  readonly seconds: number
}

/** One neuron with one surrogate: the runs that differ in nothing but the seed. */
export interface Arm {
  readonly neuron: string
  readonly surrogate: string
  /** As it stands in tables and pictures. */
  readonly label: string
  readonly settings: CellRecord['settings']
  /** By seed. */
  readonly runs: readonly TrainedRun[]
  /** Seeds whose loss was no longer finite. */
  readonly diverged: readonly number[]
  /** Undefined where every run diverged. */
  readonly accuracy: Estimate | undefined
}

/** A paired difference: the same seed on both sides, hence the same initial weights and the same order of samples. */
export interface Comparison {
  readonly first: Arm
  readonly second: Arm
  /** Seeds that both have. */
  readonly seeds: readonly number[]
  /** Accuracy of the first less that of the second; undefined without a pair. */
  readonly difference: Estimate | undefined
  /** The interval that holds for all comparisons of the experiment together (Bonferroni). */
  readonly simultaneous: Interval | undefined
}

export interface Summary {
  readonly experiment: string
  readonly question: 'neurons' | 'windows'
  readonly budget: Budget
  readonly seeds: readonly number[]
  readonly arms: readonly Arm[]
  readonly comparisons: readonly Comparison[]
  /** Runs that a full grid would have besides. */
  readonly missing: number
  /** Different ones in the records. */
  readonly commits: readonly string[]
  readonly machines: readonly string[]
}

const CONFIDENCE = 0.95

/** QIF; and the window that is not set by hand. */
const BASELINE = { neuron: 'qif', surrogate: 'analytic' }

/** @param records of one experiment and one budget, at least one */
export function summarise(records: readonly CellRecord[]): Summary {
  const { experiment } = records[0]!.cell
  const question = distinct(records.map(({ cell }) => cell.surrogate)).length > 1 ? 'windows' : 'neurons'
  const arms = armsOf(records, question)
  const pairs = question === 'windows' ? windowPairs(arms) : neuronPairs(arms)
  const seeds = distinct(records.map(({ cell }) => cell.seed)).sort((a, b) => a - b)
  return {
    experiment,
    question,
    budget: budgetOf(records[0]!.settings),
    seeds,
    arms,
    comparisons: pairs.map(([first, second]) => compare(first, second, pairs.length)),
    missing: arms.length * seeds.length - records.length,
    commits: distinct(records.map(({ execution }) => execution.commit)),
    machines: distinct(records.map(({ execution: { cpu, cores, node } }) => `${cpu}, ${cores} cores, Node ${node}`)),
  }
}

const distinct = <T>(values: readonly T[]): T[] => [...new Set(values)]

function armsOf(records: readonly CellRecord[], question: Summary['question']): Arm[] {
  const groups = new Map<string, CellRecord[]>()
  for (const record of [...records].sort((a, b) => a.cell.seed - b.cell.seed)) {
    const key = JSON.stringify([record.cell.neuron, record.cell.surrogate])
    groups.set(key, [...(groups.get(key) ?? []), record])
  }
  return [...groups.values()].map((group) => armOf(group, question)).sort((a, b) => place(a) - place(b))
}

/** Where an arm stands in the definition of its experiment; those that it no longer has come last. */
function place({ neuron, surrogate }: Arm): number {
  const rank = (names: string[], name: string) => (names.includes(name) ? names.indexOf(name) : names.length)
  const neurons = distinct(EXPERIMENTS.flatMap((one) => Object.keys(one.neurons)))
  const surrogates = distinct(EXPERIMENTS.flatMap((one) => Object.keys(one.surrogates)))
  return rank(neurons, neuron) * (surrogates.length + 1) + rank(surrogates, surrogate)
}

function armOf(records: readonly CellRecord[], question: Summary['question']): Arm {
  const { cell, settings } = records[0]!
  const runs = records.flatMap(({ cell: { seed }, result, execution: { seconds } }): TrainedRun[] =>
    result.kind === 'trained' ? [{ seed, result, seconds }] : [],
  )
  return {
    neuron: cell.neuron,
    surrogate: cell.surrogate,
    label: question === 'windows' ? `${neuronLabel(cell.neuron)}, ${cell.surrogate}` : neuronLabel(cell.neuron),
    settings,
    runs,
    diverged: records.flatMap(({ cell: { seed }, result }) => (result.kind === 'diverged' ? [seed] : [])),
    accuracy:
      runs.length > 0
        ? estimateMean(
            runs.map(({ result }) => result.accuracy),
            CONFIDENCE,
          )
        : undefined,
  }
}

/** For each neuron, the analytic window against every other one. */
function windowPairs(arms: readonly Arm[]): [Arm, Arm][] {
  return arms
    .filter(({ surrogate }) => surrogate === BASELINE.surrogate)
    .flatMap((first) =>
      arms
        .filter(({ neuron, surrogate }) => neuron === first.neuron && surrogate !== first.surrogate)
        .map((second): [Arm, Arm] => [first, second]),
    )
}

/** QIF against every other neuron. */
function neuronPairs(arms: readonly Arm[]): [Arm, Arm][] {
  const first = arms.find(({ neuron }) => neuron === BASELINE.neuron)
  return first ? arms.filter((arm) => arm !== first).map((second) => [first, second]) : []
}

function compare(first: Arm, second: Arm, comparisons: number): Comparison {
  const bySeed = new Map(second.runs.map(({ seed, result }) => [seed, result.accuracy]))
  const pairs = first.runs.filter(({ seed }) => bySeed.has(seed))
  const differences = pairs.map(({ seed, result }) => result.accuracy - bySeed.get(seed)!)
  const isPaired = differences.length > 0
  return {
    first,
    second,
    seeds: pairs.map(({ seed }) => seed),
    difference: isPaired ? estimateMean(differences, CONFIDENCE) : undefined,
    simultaneous: isPaired ? estimateMean(differences, 1 - (1 - CONFIDENCE) / comparisons) : undefined,
  }
}
