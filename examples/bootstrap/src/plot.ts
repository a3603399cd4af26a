/** Two panels over the same run: the level, step by step, and the precision after each bootstrap. */
import * as vega from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'
import type { Step } from './run.ts'

const WIDTH = 620
const BLUE = '#3b6ea5'
const ORANGE = '#c9792b'
const SERIES = ['mean over all slots', 'worst slot', 'mean, if errors simply added up']

/** Precision after a number of bootstraps. */
export type Precision = Pick<Step, 'bootstraps' | 'meanBits' | 'worstBits'>

/** An SVG document. */
export function drawRun(title: string, subtitle: readonly string[], steps: readonly Step[]): Promise<string> {
  const after = steps.filter(({ kind }) => kind === 'bootstrap')
  return draw(title, subtitle, [levels(steps), precision(after)])
}

/** The lower panel alone. */
export function drawPrecision(
  title: string,
  subtitle: readonly string[],
  after: readonly Precision[],
): Promise<string> {
  return draw(title, subtitle, [precision(after)])
}

async function draw(title: string, subtitle: readonly string[], panels: readonly object[]): Promise<string> {
  const spec: TopLevelSpec = {
    $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
    background: 'white',
    padding: 20,
    config: {
      view: { stroke: null },
      axis: { gridColor: '#eee', domainColor: '#999', tickColor: '#999' },
      font: 'sans-serif',
    },
    title: { text: title, subtitle: [...subtitle], anchor: 'start', fontSize: 16, subtitlePadding: 6, offset: 16 },
    spacing: 28,
    vconcat: [...panels] as never,
    resolve: { legend: { color: 'independent' } },
  }
  const view = new vega.View(vega.parse(compile(spec).spec), { renderer: 'none', logLevel: vega.Error })
  try {
    return await view.toSVG()
  } finally {
    view.finalize()
  }
}

function levels(steps: readonly Step[]): object {
  const values = steps.map(({ level, kind }, step) => ({ step, level, bootstrap: kind === 'bootstrap' }))
  const x = { field: 'step', type: 'quantitative', title: 'steps: products, and bootstraps (orange)' }
  const y = { field: 'level', type: 'quantitative', title: 'level', axis: { tickMinStep: 1 } }
  return {
    width: WIDTH,
    height: 110,
    data: { values },
    encoding: { x: { ...x, scale: { nice: false } }, y },
    layer: [
      { mark: { type: 'line', color: BLUE, strokeWidth: 1.5 } },
      {
        transform: [{ filter: 'datum.bootstrap' }],
        mark: { type: 'point', filled: true, size: 40, color: ORANGE, opacity: 1 },
      },
    ],
  }
}

function precision(after: readonly Precision[]): object {
  const single = after[0]?.meanBits ?? 0
  const values = after.flatMap(({ bootstraps, meanBits, worstBits }) => [
    { bootstraps, bits: meanBits, series: SERIES[0] },
    { bootstraps, bits: worstBits, series: SERIES[1] },
    { bootstraps, bits: single - Math.log2(bootstraps), series: SERIES[2] },
  ])
  return {
    width: WIDTH,
    height: 220,
    data: { values },
    encoding: {
      x: {
        field: 'bootstraps',
        type: 'quantitative',
        title: 'bootstraps so far',
        axis: { tickMinStep: 1, format: 'd' },
        scale: { nice: false, zero: false },
      },
      y: { field: 'bits', type: 'quantitative', title: 'precision in bits', scale: { zero: false } },
      color: {
        field: 'series',
        type: 'nominal',
        scale: { domain: SERIES, range: [BLUE, ORANGE, '#999'] },
        legend: { title: null, orient: 'top-right', labelLimit: 300, symbolType: 'circle' },
      },
    },
    layer: [
      {
        transform: [{ filter: { field: 'series', oneOf: SERIES.slice(0, 2) } }],
        mark: { type: 'line', point: { filled: true, size: 36 } },
      },
      {
        transform: [{ filter: { field: 'series', equal: SERIES[2] } }],
        mark: { type: 'line', strokeDash: [5, 4] },
      },
    ],
  }
}
