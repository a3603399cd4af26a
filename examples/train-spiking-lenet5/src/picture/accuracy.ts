import { BLUE, ORANGE } from './colours.ts'
import { drawSvg, type Heading } from './draw-svg.ts'

/** Accuracies of several runs of one kind, all between 0 and 1. */
export interface AccuracyRow {
  readonly name: string
  readonly mean: number
  /** The mean's confidence interval. */
  readonly interval: readonly [low: number, high: number]
  /** One for each seed. */
  readonly runs: readonly number[]
}

/** A row for each kind: single runs as dots, above them the mean with its interval. */
export function drawAccuracy({ rows, ...heading }: Heading & { readonly rows: readonly AccuracyRow[] }) {
  const order = rows.map(({ name }) => name)
  const percent = (share: number) => 100 * share
  const means = rows.map(({ name, mean, interval: [low, high] }) => ({
    name,
    accuracy: percent(mean),
    low: percent(low),
    high: percent(high),
    text: `${percent(mean).toFixed(2)} %`,
  }))
  const dots = rows.flatMap(({ name, runs }) => runs.map((run) => ({ name, accuracy: percent(run) })))
  const y = { field: 'name', type: 'nominal', sort: order, title: null, axis: { labelLimit: 400, grid: true } }
  const x = { field: 'accuracy', type: 'quantitative', title: 'accuracy in %', scale: { zero: false, padding: 14 } }
  return drawSvg({
    ...heading,
    views: {
      width: 460,
      height: { step: 46 },
      layer: [
        {
          data: { values: dots },
          mark: { type: 'point', filled: true, size: 34, color: BLUE, opacity: 0.55, yOffset: 9 },
          encoding: { x, y },
        },
        {
          data: { values: means },
          mark: { type: 'rule', color: ORANGE, strokeWidth: 2, yOffset: -5 },
          encoding: { x: { ...x, field: 'low' }, x2: { field: 'high' }, y },
        },
        {
          data: { values: means },
          mark: { type: 'point', shape: 'diamond', filled: true, size: 70, color: ORANGE, opacity: 1, yOffset: -5 },
          encoding: { x, y },
        },
        {
          data: { values: means },
          mark: { type: 'text', baseline: 'bottom', fontSize: 10, yOffset: -10 },
          encoding: { x, y, text: { field: 'text' } },
        },
      ],
    },
  })
}
