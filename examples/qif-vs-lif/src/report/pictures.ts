/** Pictures of an experiment, as SVG documents. */

import {
  type AccuracyRow,
  drawAccuracy,
  drawGradientWindows,
  drawSvg,
  type Heading,
} from '@he-ml/example-train-spiking-lenet5/picture'
import { createNeuron, gradientWindow } from '@he-ml/snn-neurons'
import { holdsZero } from '../statistics/estimate.ts'
import { neuronLabel } from './neuron-label.ts'
import type { Arm, Summary } from './summarise.ts'

/** Far apart in colour and brightness; a name has the same one in every picture. */
const COLOURS = ['#c9792b', '#3b6ea5', '#6a9f58', '#a05195', '#7f6a55', '#3aa6a6', '#333333']

const headingOf = (title: string, { budget, seeds }: Summary, ...more: readonly string[]): Heading => ({
  title,
  subtitle: [
    `${budget.data.training} ${budget.data.name === 'mnist' ? 'MNIST digits' : 'simulated recordings'}, ` +
      `${budget.recipe.epochs} epochs, T = ${budget.timeSteps}, ${seeds.length} seeds; ${budget.data.test} test digits`,
    ...more,
  ],
})

/** Mean accuracies with their intervals, single seeds as dots. */
export function drawAccuracies(summary: Summary): Promise<string> {
  const rows = summary.arms.flatMap(({ label, runs, accuracy }): AccuracyRow[] => {
    if (!accuracy) return []
    const { mean, low, high, count } = accuracy
    // one seed has no interval that could be drawn
    const interval = count > 1 ? ([low, high] as const) : ([mean, mean] as const)
    return [{ name: label, mean, interval, runs: runs.map(({ result }) => result.accuracy) }]
  })
  const heading = headingOf(
    `${summary.experiment}: accuracy`,
    summary,
    'Dots are seeds; lines are 95 % intervals of the mean.',
  )
  return drawAccuracy({ ...heading, rows })
}

/** Paired differences: where an interval reaches the line at 0, no difference is shown. */
export function drawDifferences(summary: Summary): Promise<string> {
  const values = summary.comparisons.flatMap(({ first, second, difference, simultaneous }) =>
    difference && simultaneous && difference.count > 1
      ? [
          {
            name: `${first.label} - ${second.label}`,
            mean: 100 * difference.mean,
            low: 100 * difference.low,
            high: 100 * difference.high,
            farLow: 100 * simultaneous.low,
            farHigh: 100 * simultaneous.high,
            shown: holdsZero(simultaneous) ? 'no difference shown' : 'difference shown',
          },
        ]
      : [],
  )
  const title = 'difference of accuracies in points'
  const reach = values.flatMap(({ farLow, farHigh }) => [farLow, farHigh])
  const room = 0.05 * (Math.max(0, ...reach) - Math.min(0, ...reach)) || 1
  const domain = [Math.min(0, ...reach) - room, Math.max(0, ...reach) + room]
  const x = (field: string) => ({ field, type: 'quantitative', title, scale: { domain } })
  const y = { field: 'name', type: 'nominal', sort: null, title: null, axis: { labelLimit: 500, grid: true } }
  const color = {
    field: 'shown',
    type: 'nominal',
    scale: { domain: ['difference shown', 'no difference shown'], range: ['#c9792b', '#888888'] },
    legend: { title: null, orient: 'bottom', symbolType: 'circle' },
  }
  return drawSvg({
    ...headingOf(
      `${summary.experiment}: paired differences`,
      summary,
      values.length > 1
        ? `Thick: 95 % interval. Thin: for all ${values.length} together. Right of 0: the first is better.`
        : 'The 95 % interval. Right of 0: the first is better.',
    ),
    views: {
      width: 460,
      height: { step: 30 },
      data: { values },
      layer: [
        { data: { values: [{ zero: 0 }] }, mark: { type: 'rule', color: '#333' }, encoding: { x: x('zero') } },
        { mark: { type: 'rule', strokeWidth: 1.5 }, encoding: { x: x('farLow'), x2: { field: 'farHigh' }, y, color } },
        { mark: { type: 'rule', strokeWidth: 5 }, encoding: { x: x('low'), x2: { field: 'high' }, y, color } },
        {
          mark: { type: 'point', filled: true, size: 60, opacity: 1, stroke: 'white' },
          encoding: { x: x('mean'), y, color },
        },
      ],
    },
  })
}

/** By epoch: mean over the seeds, and a band from the lowest to the highest. */
export function drawLearning(summary: Summary): Promise<string> {
  const isWindows = summary.question === 'windows'
  const series = (arm: Arm) => (isWindows ? arm.surrogate : arm.label)
  const names = [...new Set(summary.arms.map(series))]
  const groups = isWindows ? [...new Set(summary.arms.map(({ neuron }) => neuron))] : ['']
  const concat = groups.flatMap((group) => {
    const arms = summary.arms.filter(({ neuron }) => group === '' || neuron === group)
    const values = arms.flatMap((arm) => epochsOf(arm).map((epoch) => ({ ...epoch, series: series(arm) })))
    const prefix = group === '' ? '' : `${neuronLabel(group)}: `
    return [
      learningPanel(values, names, `${prefix}test accuracy in %`, 'accuracy'),
      learningPanel(values, names, `${prefix}training loss`, 'loss'),
    ]
  })
  const heading = headingOf(
    `${summary.experiment}: learning curves`,
    summary,
    'Lines are means over the seeds, bands go from the lowest to the highest.',
  )
  return drawSvg({ ...heading, views: { concat, columns: 2 } })
}

type EpochSummary = Record<'epoch' | `${'accuracy' | 'loss'}${'' | 'Low' | 'High'}`, number>

function epochsOf({ runs }: Arm): EpochSummary[] {
  const epochs = Math.max(0, ...runs.map(({ result }) => result.history.length))
  return Array.from({ length: epochs }, (_, index) => {
    const results = runs.flatMap(({ result }) => result.history[index] ?? [])
    const accuracies = results.map(({ validation }) => 100 * validation.accuracy)
    const losses = results.map(({ loss }) => loss)
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
    return {
      epoch: index + 1,
      accuracy: mean(accuracies),
      accuracyLow: Math.min(...accuracies),
      accuracyHigh: Math.max(...accuracies),
      loss: mean(losses),
      lossLow: Math.min(...losses),
      lossHigh: Math.max(...losses),
    }
  })
}

function learningPanel(
  values: readonly (EpochSummary & { readonly series: string })[],
  names: readonly string[],
  title: string,
  field: 'accuracy' | 'loss',
): object {
  const epochs = Math.max(2, ...values.map(({ epoch }) => epoch))
  const x = {
    field: 'epoch',
    type: 'quantitative',
    title: 'epoch',
    axis: { values: Array.from({ length: epochs }, (_, index) => index + 1), format: 'd', labelFlush: false },
    scale: { domain: [1, epochs], nice: false },
  }
  const y = (name: string) => ({ field: name, type: 'quantitative', title, scale: { zero: false } })
  const color = {
    field: 'series',
    type: 'nominal',
    sort: null,
    title: null,
    scale: { domain: [...names], range: names.map((_, i) => COLOURS[i % COLOURS.length]) },
    legend: { symbolType: 'stroke', symbolOpacity: 1, symbolStrokeWidth: 2.5, symbolSize: 200 },
  }
  return {
    width: 320,
    height: 220,
    data: { values },
    layer: [
      {
        mark: { type: 'area', opacity: names.length > 3 ? 0.08 : 0.18 },
        encoding: { x, y: y(`${field}Low`), y2: { field: `${field}High` }, color },
      },
      {
        mark: { type: 'line', strokeWidth: 1.8, point: { filled: true, size: 24, opacity: 1 } },
        encoding: { x, y: y(field), color },
      },
    ],
  }
}

/** Where membranes are, the analytic window of each neuron, and the hand-set rectangles of the windows experiments. */
export function drawWindows(arms: readonly Arm[], timeSteps: number): Promise<string> {
  const neurons = new Map(arms.map(({ neuron, settings }) => [neuron, settings.neuron]))
  return drawGradientWindows({
    title: 'Gradient windows',
    subtitle: [
      `T = ${timeSteps}. Grey: density of the membrane potential behind normalisation.`,
      'Derived: the analytic window. Hand-set ones have area 1.',
    ],
    windows: [...neurons].map(([name, description]) => {
      const neuron = createNeuron(description)
      return { name: neuronLabel(name), threshold: neuron.threshold, window: gradientWindow(neuron, { timeSteps }) }
    }),
    handWidths: [0.25, 0.5, 1, 2],
  })
}
