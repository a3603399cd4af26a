// SVG pictures for the notes: membrane densities with their windows, mismatch by width, membrane traces.
import * as vega from 'vega'
import { compile } from 'vega-lite'
import { createNeuronKernel, forwardThroughTime, hardSpike, normalAt, windowMismatch } from '../src/index.ts'
import { BATCH, NEURONS, TIME_STEPS, windowsOf } from './measure-windows.mjs'

const WIDTH = 300
const LABELS = ['0.25', '0.5', '1', '2', 'derived']
const COLOURS = ['#b9b9b9', '#3b6ea5', '#6a9f58', '#a05195', '#c9792b']

const COLOUR = {
  field: 'window',
  type: 'nominal',
  sort: LABELS,
  scale: { domain: LABELS, range: COLOURS },
  title: 'half-width',
}

async function render(title, subtitle, views) {
  const spec = {
    $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
    background: 'white',
    padding: 20,
    config: {
      view: { stroke: null },
      axis: { gridColor: '#eee', domainColor: '#999', tickColor: '#999' },
      font: 'sans-serif',
    },
    title: { text: title, subtitle, anchor: 'start', fontSize: 16, subtitlePadding: 6, offset: 16 },
    spacing: 28,
    ...views,
  }
  const view = new vega.View(vega.parse(compile(spec).spec), { renderer: 'none', logLevel: vega.Error })
  try {
    return await view.toSVG()
  } finally {
    view.finalize()
  }
}

const drawn = [NEURONS[0], NEURONS[2], NEURONS[4]]

/** Above: density of the membrane potential and the windows. Below: mismatch against half-width. */
export function drawWindows() {
  return render(
    'Gradient windows and the mismatch they leave',
    [
      `Threshold 1, inputs N(0, 1), ${TIME_STEPS} time steps, gradients averaged over ${BATCH * TIME_STEPS} neuron-steps.`,
      'Hand-set rectangles have area 1; the derived one (orange) minimises the mismatch.',
    ],
    {
      vconcat: [
        { hconcat: drawn.map(([name, neuron]) => windowPanel(name, neuron)) },
        { hconcat: drawn.map(([name, neuron]) => mismatchPanel(name, neuron)) },
      ],
    },
  )
}

function windowPanel(name, neuron) {
  const { derived, all } = windowsOf(neuron)
  const { density, start, cell } = derived.membrane
  const curve = [...density].map((p, i) => ({ u: start + (i + 0.5) * cell, p })).filter(({ u }) => u >= -3.5 && u <= 4)
  const shown = all.filter(({ name: label }) => label !== '0.25')
  const boxes = shown.flatMap(({ name: label, width, height = 1 / (2 * width) }) =>
    [
      [neuron.threshold - width, 0],
      [neuron.threshold - width, height],
      [neuron.threshold + width, height],
      [neuron.threshold + width, 0],
    ].map(([u, g], order) => ({ u, g, order, window: label })),
  )
  const x = {
    field: 'u',
    type: 'quantitative',
    title: 'membrane potential u',
    scale: { domain: [-3.5, 4], nice: false },
  }
  return {
    width: WIDTH,
    height: 200,
    title: { text: name, fontSize: 12 },
    layer: [
      {
        data: { values: curve },
        mark: { type: 'area', color: '#dddddd', clip: true },
        encoding: {
          x,
          y: {
            field: 'p',
            type: 'quantitative',
            title: 'density (grey), surrogate gradient',
            scale: { domain: [0, 1.05] },
          },
        },
      },
      {
        data: { values: boxes },
        mark: { type: 'line', strokeWidth: 1.5, clip: true },
        encoding: {
          x,
          y: { field: 'g', type: 'quantitative' },
          order: { field: 'order', type: 'quantitative' },
          color: COLOUR,
        },
      },
      {
        data: { values: [{ u: neuron.threshold }] },
        mark: { type: 'rule', strokeDash: [4, 3], color: '#666' },
        encoding: { x },
      },
    ],
  }
}

function mismatchPanel(name, neuron) {
  const { derived, all } = windowsOf(neuron)
  const at = (width, height) =>
    windowMismatch(derived.membrane, neuron.threshold, { width, height, samples: BATCH * TIME_STEPS }).mismatch
  const curve = Array.from({ length: 120 }, (_, i) => 0.15 * (2.5 / 0.15) ** (i / 119)).flatMap((width) => [
    { width, mismatch: at(width), height: 'best height' },
    { width, mismatch: at(width, 1 / (2 * width)), height: 'area 1' },
  ])
  const points = all.map(({ name: window, width, height = 1 / (2 * width) }) => ({
    window,
    width,
    mismatch: at(width, height),
  }))
  const x = {
    field: 'width',
    type: 'quantitative',
    title: 'half-width',
    scale: { type: 'log', domain: [0.15, 2.5], nice: false },
    axis: { values: [0.25, 0.5, 1, 2] },
  }
  const y = { field: 'mismatch', type: 'quantitative', title: 'mismatch', scale: { domain: [0, 0.65] } }
  return {
    width: WIDTH,
    height: 160,
    title: { text: name, fontSize: 12 },
    layer: [
      {
        data: { values: curve },
        mark: { type: 'line', strokeWidth: 1.5, color: '#777', clip: true },
        encoding: {
          x,
          y,
          strokeDash: { field: 'height', type: 'nominal', sort: ['best height', 'area 1'], title: null },
        },
      },
      {
        data: { values: points },
        mark: { type: 'point', filled: true, size: 60, opacity: 1, clip: true },
        encoding: {
          x,
          y,
          color: COLOUR,
        },
      },
    ],
  }
}

/** The same noisy input into each neuron: membrane potential before the reset, threshold, spikes. */
export function drawTraces() {
  const steps = 60
  const input = Float64Array.from({ length: steps }, (_, t) => 0.35 + 0.5 * normalAt(12, t))
  const panels = [NEURONS[0], NEURONS[1], NEURONS[2], NEURONS[4]].map(([name, neuron], row) => {
    const { charged, spikes, membranePotentials } = forwardThroughTime(
      createNeuronKernel(neuron),
      hardSpike(1),
      input,
      steps,
    )
    // before and after the reset, so that a spike is a vertical stroke
    const trace = [...charged].flatMap((u, t) => [
      { t, u, order: 2 * t },
      { t, u: membranePotentials[t], order: 2 * t + 1 },
    ])
    const fired = [...spikes].flatMap((s, t) => (s === 1 ? [{ t, u: charged[t] }] : []))
    const x = {
      field: 't',
      type: 'quantitative',
      title: row === 3 ? 'time step' : null,
      scale: { domain: [0, steps], nice: false },
    }
    const y = { field: 'u', type: 'quantitative', title: 'u', scale: { domain: [-1.5, 2.5] } }
    return {
      width: 700,
      height: 90,
      title: { text: name, fontSize: 12, anchor: 'start' },
      layer: [
        {
          data: { values: trace },
          mark: { type: 'line', strokeWidth: 1.2, color: COLOURS[1], clip: true },
          encoding: { x, y, order: { field: 'order', type: 'quantitative' } },
        },
        {
          data: { values: fired },
          mark: { type: 'point', filled: true, size: 28, color: COLOURS[4], opacity: 1, clip: true },
          encoding: { x, y },
        },
        { data: { values: [{ u: 1 }] }, mark: { type: 'rule', strokeDash: [4, 3], color: '#666' }, encoding: { y } },
      ],
    }
  })
  return render(
    'Membrane potentials under the same input',
    ['Input 0.35 + 0.5 N(0, 1), threshold 1 (dashed). Dots are spikes; vertical strokes are resets.'],
    { vconcat: panels, spacing: 14 },
  )
}
