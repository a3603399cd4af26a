import type { EpochResult } from '@he-ml/snn-training'
import { colourOf } from './colours.ts'
import { drawSvg, type Heading } from './draw-svg.ts'
import { wholeTicks } from './whole-ticks.ts'

/** One training run, as `train` returns it. */
export interface LearningRun {
  readonly name: string
  readonly history: readonly EpochResult[]
}

const SETS = ['training', 'validation']

/** Loss and accuracy by epoch: a colour for each run, training dashed, validation solid. */
export function drawLearningCurves({ runs, ...heading }: Heading & { readonly runs: readonly LearningRun[] }) {
  const values = runs.flatMap(({ name, history }) => history.flatMap((result) => pointsOf(name, result)))
  const names = runs.map(({ name }) => name)
  const epochs = Math.max(1, ...runs.map(({ history }) => history.length))
  const sets = SETS.filter((set) => values.some((value) => value.set === set))
  const panel = (field: string, title: string, y: object) => ({
    width: 300,
    height: 240,
    mark: { type: 'line', point: { filled: true, size: 22, opacity: 1 }, strokeWidth: 1.5 },
    encoding: {
      x: {
        field: 'epoch',
        type: 'quantitative',
        title: 'epoch',
        axis: { values: wholeTicks(1, Math.max(2, epochs)), format: 'd', labelFlush: false },
        scale: { domain: [1, Math.max(2, epochs)], nice: false },
      },
      y: { field, type: 'quantitative', title, scale: { zero: false }, ...y },
      color: { ...colourOf('run', names), ...(names.length === 1 && { legend: null }) },
      strokeDash: {
        field: 'set',
        type: 'nominal',
        sort: null,
        scale: { domain: sets, range: sets.map((set) => (set === 'training' ? [4, 3] : [1, 0])) },
        title: null,
        legend: { symbolType: 'stroke', symbolSize: 400 },
      },
      opacity: { condition: { test: "datum.set === 'training'", value: 0.6 }, value: 1 },
    },
  })
  const accuracy = panel('accuracy', 'accuracy in %', { axis: { format: '.4~g' } })
  return drawSvg({ ...heading, views: { data: { values }, hconcat: [panel('loss', 'loss', {}), accuracy] } })
}

function pointsOf(run: string, { epoch, loss, accuracy, validation }: EpochResult) {
  const point = (set: string, from: { loss: number; accuracy: number }) => ({
    run,
    set,
    epoch: epoch + 1,
    loss: from.loss,
    accuracy: 100 * from.accuracy,
  })
  return [point('training', { loss, accuracy }), ...(validation ? [point('validation', validation)] : [])]
}
