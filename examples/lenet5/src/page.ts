/** The result as a picture: each digit as it went in, what came out encrypted and in the clear, and where the time went. */
import * as vega from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'
import { DIGIT_SIZE } from './digits/generate.ts'
import { agreement, argmax, type DigitOutcome, type NetworkOutcome } from './outcome.ts'

const SHOWN = 8

/** An SVG document. */
export async function drawPage(outcomes: readonly NetworkOutcome[]): Promise<string> {
  const spec: TopLevelSpec = {
    $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
    background: 'white',
    padding: 20,
    config: {
      view: { stroke: null },
      axis: { grid: false, domainColor: '#999', tickColor: '#999' },
      font: 'sans-serif',
    },
    vconcat: outcomes.map(section) as never,
    spacing: 36,
  }
  const view = new vega.View(vega.parse(compile(spec).spec), { renderer: 'none', logLevel: vega.Error })
  try {
    return await view.toSVG()
  } finally {
    view.finalize()
  }
}

function section(outcome: NetworkOutcome): object {
  const { same, polynomialBits } = agreement(outcome.digits)
  const count = outcome.digits.length
  const perDigit = (outcome.times.inference ?? 0) / count
  return {
    title: {
      text: outcome.title,
      subtitle: [
        `${count} encrypted digits; ${same} of ${count} decided as in the clear; logits agree to ${polynomialBits.toFixed(1)} bits of their range with the same network in the clear`,
        `${perDigit >= 0.1 ? `${perDigit.toFixed(2)} s` : `${(perDigit * 1000).toFixed(2)} ms`} per digit on the server; ring 2^${outcome.plan.report.logN}, 128-bit security`,
      ],
      anchor: 'start',
      fontSize: 15,
      subtitlePadding: 6,
    },
    spacing: 14,
    vconcat: [{ hconcat: outcome.digits.slice(0, SHOWN).map(picture), spacing: 10 }, times(outcome)],
  }
}

function picture({ input, encrypted, clear, seconds }: DigitOutcome): object {
  const values = [...input.pixels].flatMap((ink, i) =>
    ink < 0.02 ? [] : [{ x: i % DIGIT_SIZE, y: Math.floor(i / DIGIT_SIZE), ink }],
  )
  const [got, wanted] = [argmax(encrypted), argmax(clear)]
  const time = seconds >= 0.1 ? `${seconds.toFixed(2)} s` : `${(seconds * 1000).toFixed(2)} ms`
  const scale = { domain: [0, DIGIT_SIZE], nice: false }
  const bars = [...encrypted].flatMap((v, digit) => [
    { digit, value: v, kind: 'encrypted' },
    { digit, value: clear[digit]!, kind: 'clear' },
  ])
  return {
    title: {
      text: `${got}`,
      subtitle: `clear ${wanted}, ${time}`,
      color: got === wanted ? '#1b6e3c' : '#b3261e',
      fontSize: 18,
    },
    spacing: 6,
    vconcat: [
      {
        width: 96,
        height: 96,
        view: { fill: '#111' },
        data: { values: values.map((v) => ({ ...v, x2: v.x + 1, y2: v.y + 1 })) },
        mark: { type: 'rect', tooltip: false },
        encoding: {
          x: { field: 'x', type: 'quantitative', axis: null, scale },
          x2: { field: 'x2' },
          y: { field: 'y', type: 'quantitative', axis: null, scale: { ...scale, reverse: true } },
          y2: { field: 'y2' },
          color: {
            field: 'ink',
            type: 'quantitative',
            legend: null,
            scale: { domain: [0, 1], range: ['#111', '#fff'] },
          },
        },
      },
      {
        width: 96,
        height: 70,
        data: { values: bars },
        mark: { type: 'bar' },
        encoding: {
          x: { field: 'digit', type: 'ordinal', axis: { title: null, labelAngle: 0, labelFontSize: 8, ticks: false } },
          xOffset: { field: 'kind' },
          y: { field: 'value', type: 'quantitative', axis: null },
          color: {
            field: 'kind',
            type: 'nominal',
            legend: null,
            scale: { domain: ['encrypted', 'clear'], range: ['#c9792b', '#3b6ea5'] },
          },
        },
      },
    ],
  }
}

function times(outcome: NetworkOutcome): object {
  const values = ['plan', 'keys', 'encode weights', 'encrypt', 'inference', 'decrypt'].map((step) => ({
    step,
    seconds: outcome.times[step] ?? 0,
    label: `${(outcome.times[step] ?? 0).toFixed(2)} s`,
  }))
  return {
    width: 420,
    height: 110,
    data: { values },
    encoding: {
      y: { field: 'step', type: 'nominal', sort: null, title: null },
      x: { field: 'seconds', type: 'quantitative', title: 'seconds' },
    },
    layer: [
      { mark: { type: 'bar', color: '#3b6ea5' } },
      { mark: { type: 'text', align: 'left', dx: 4 }, encoding: { text: { field: 'label' } } },
    ],
  }
}
