/** The report as Markdown: what was done, what came out, what it does not say. */

import { time } from '@he-ml/example-train-spiking-lenet5/terminal'
import { type Estimate, estimateMean } from '../statistics/estimate.ts'
import { neuronLabel } from './neuron-label.ts'
import type { Arm, Comparison, Summary } from './summarise.ts'
import { points, tallyOf, verdictOf } from './verdict.ts'

/** A picture beside the report. */
export interface PictureLink {
  readonly title: string
  readonly file: string
}

/** An experiment with its pictures. */
export interface Section {
  readonly summary: Summary
  readonly pictures: readonly PictureLink[]
}

/** The whole page. */
export function renderReport(sections: readonly Section[], windows: readonly PictureLink[]): string {
  return [
    '# QIF against LIF: results',
    '',
    'Made by `report` from the result files beside it (see [the example](../README.md)): do not edit. Accuracies are those on',
    'the test digits after the last epoch. In these experiments nothing is tuned on the test digits: no epoch is picked by',
    'them, no rate, no window.',
    '',
    ...sections.flatMap(renderSection),
    '## Gradient windows',
    '',
    ...renderWindows(sections.map(({ summary }) => summary)),
    ...windows.flatMap(renderPicture),
    ...LIMITS,
  ].join('\n')
}

const LIMITS = [
  '## What this does not say',
  '',
  "- Intervals are over seeds (initial weights and order of samples), by Student's t, for these test digits. Other digits add their",
  '  own uncertainty, which is given beside each table; it is largely the same for all arms, hence the paired differences.',
  '- Everything of a run but what is compared is the same, the learning rate too; nothing was tuned for one arm. With rates tuned',
  '  for each, the order could be another.',
  '- The neurons differ in more than their drift, for example in their reset (see the table above): they are compared as wholes.',
  '- N-MNIST here is simulated: digits before a model of an event camera, not the recordings of that name.',
  '- An interval that holds 0 does not prove equality: it says how large a difference could still hide.',
  '',
]

function renderSection({ summary, pictures }: Section): string[] {
  const { experiment, seeds, arms, comparisons } = summary
  return [
    `## ${experiment}`,
    '',
    describeBudget(summary),
    '',
    ...notesOf(summary),
    ...armTable(arms),
    '',
    samplingNote(summary),
    '',
    ...comparisonTable(comparisons),
    ...(comparisons.length > 1 ? [tallyOf(comparisons), ''] : []),
    ...comparisons.map((comparison) => `- ${verdictOf(comparison, comparisons.length)}`),
    ...(comparisons.length === 0 ? ['No comparison yet: there are runs of one side only.'] : []),
    '',
    ...pictures.flatMap(renderPicture),
    `Seeds: ${seeds.join(', ')}. Accuracy by seed:`,
    '',
    ...seedTable(summary),
    '',
  ]
}

const renderPicture = ({ title, file }: PictureLink): string[] => [`![${title}](${file})`, '']

const row = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`

function table(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  return [row(header), `|${'---|'.repeat(header.length)}`, ...rows.map(row)]
}

const SAMPLES = { mnist: 'MNIST digits', nmnist: 'simulated recordings of MNIST digits' }
const thousands = (count: number): string => count.toLocaleString('en-GB')

function describeBudget({ budget, machines, commits }: Summary): string {
  const { data, timeSteps, recipe, shift, kernel } = budget
  return [
    `Spiking LeNet-5, T = ${timeSteps}; ${thousands(data.training)} ${SAMPLES[data.name]} to train on, ` +
      `${thousands(data.test)} to test; ${recipe.epochs} epochs, batches of ${recipe.batchSize}, ` +
      `${recipe.optimizer.kind}, learning rate ${recipe.schedule.learningRate} falling to 0 by a cosine, ` +
      `loss ${recipe.loss.kind}, ${shift > 0 ? `shifts by up to ${shift} pixels` : 'no augmentation'}.`,
    `Data ${data.digest}; kernels ${kernel}; ${machines.join(' and ')}; commit ${commits.join(', ')}.`,
  ].join('\n')
}

function notesOf({ missing, commits, seeds }: Summary): string[] {
  const notes = [
    ...(missing > 0 ? [`**Not complete: runs missing: ${missing}.** What follows is what there is so far.`] : []),
    ...(seeds.length < 5 ? [`**Only ${seeds.length} seeds:** at least 5 were asked for.`] : []),
    ...(commits.length > 1 ? ['**Runs of more than one state of the code** are mixed here.'] : []),
  ]
  return notes.flatMap((note) => [note, ''])
}

const percent = (share: number): string => (100 * share).toFixed(2)
const spread = ({ low, high, count }: Estimate): string =>
  count > 1 ? `${percent(low)} to ${percent(high)}` : 'unknown'

function armTable(arms: readonly Arm[]): string[] {
  const layers = [...new Set(arms.flatMap(({ runs }) => runs.flatMap(({ result }) => Object.keys(result.firingRates))))]
  const header = [
    ...['neuron, window', 'seeds', 'accuracy in %', 'deviation', '95 % interval', 'training loss', 'test loss'],
    ...['spikes per neuron and step, by layer', 'time per run'],
  ]
  return table(
    header,
    arms.map((arm) => armRow(arm, layers)),
  )
}

function armRow({ label, runs, accuracy, diverged }: Arm, layers: readonly string[]): string[] {
  const lost = diverged.length > 0 ? `, ${diverged.length} diverged` : ''
  if (!accuracy) return [label, `0${lost}`, ...Array.from({ length: 7 }, () => '-')]
  const mean = (of: (run: Arm['runs'][number]) => number) => estimateMean(runs.map(of)).mean
  return [
    label,
    `${runs.length}${lost}`,
    percent(accuracy.mean),
    runs.length > 1 ? percent(accuracy.deviation) : '-',
    spread(accuracy),
    mean(({ result }) => result.loss).toFixed(4),
    mean(({ result }) => result.testLoss).toFixed(4),
    layers.map((layer) => mean(({ result }) => result.firingRates[layer] ?? 0).toFixed(3)).join(', '),
    time(mean(({ seconds }) => seconds)),
  ]
}

/** The standard error of a share among so many independent digits. */
function samplingNote({ arms, budget }: Summary): string {
  const means = arms.flatMap(({ accuracy }) => (accuracy ? [accuracy.mean] : []))
  if (means.length === 0) return 'Every run diverged.'
  const middle = estimateMean(means).mean
  const error = Math.sqrt((middle * (1 - middle)) / budget.data.test)
  return (
    `At an accuracy of ${percent(middle)} %, ${thousands(budget.data.test)} test digits alone leave a standard error of ` +
    `${percent(error)} points, which no number of seeds lowers.`
  )
}

function comparisonTable(comparisons: readonly Comparison[]): string[] {
  const shown = comparisons.flatMap(({ first, second, seeds, difference, simultaneous }) =>
    difference && simultaneous && seeds.length > 1
      ? [
          [
            `${first.label} - ${second.label}`,
            seeds.length,
            points(difference.mean),
            `${points(difference.low)} to ${points(difference.high)}`,
            `${points(simultaneous.low)} to ${points(simultaneous.high)}`,
          ],
        ]
      : [],
  )
  if (shown.length === 0) return []
  const header = ['paired difference', 'pairs', 'mean in points', '95 % interval', '95 % for all together']
  return [...table(header, shown), '']
}

function seedTable({ arms, seeds }: Summary): string[] {
  const cell = (arm: Arm, seed: number) => {
    const run = arm.runs.find((one) => one.seed === seed)
    return run ? percent(run.result.accuracy) : arm.diverged.includes(seed) ? 'diverged' : '-'
  }
  return table(
    ['neuron, window', ...seeds.map(String)],
    arms.map((arm) => [arm.label, ...seeds.map((seed) => cell(arm, seed))]),
  )
}

/** Half-widths and heights that the dynamics gave, as the runs used them. */
function renderWindows(summaries: readonly Summary[]): string[] {
  const rows = new Map<string, readonly (string | number)[]>()
  for (const { arms } of summaries)
    for (const { neuron, surrogate, settings } of arms) {
      if (surrogate !== 'analytic') continue
      const { width, height } = settings.surrogate
      const window = [width.toFixed(4), height?.toFixed(4) ?? '-']
      rows.set(`${neuron} ${settings.timeSteps}`, [
        neuronLabel(neuron),
        describeNeuron(settings.neuron),
        settings.timeSteps,
        ...window,
      ])
    }
  if (rows.size === 0) return ['No run with an analytic window yet.', '']
  return [
    'The analytic window is a rectangle around the threshold; its half-width and height follow from the neuron and T alone',
    '(docs/notes/gradient-windows.md). Hand-set rectangles have area 1.',
    '',
    ...table(['neuron', 'definition', 'T', 'half-width', 'height'], [...rows.values()]),
    '',
  ]
}

function describeNeuron(neuron: Arm['settings']['neuron']): string {
  const drift = neuron.kind === 'lif' ? `${neuron.beta} u` : `${neuron.a} (u - ${neuron.u1}) (u - ${neuron.u2})`
  return `u <- ${drift} + x, threshold ${neuron.threshold}, reset ${neuron.reset}`
}
