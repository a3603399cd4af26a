import { createNeuron, gradientWindow } from '@he-ml/snn-neurons'
import { describe, expect, it } from 'vitest'
import {
  drawAccuracy,
  drawGradientWindows,
  drawLearningCurves,
  drawMembraneTraces,
  drawSpikeRaster,
  drawSvg,
} from './index.ts'

const heading = { title: 'A title', subtitle: ['what was measured'] }
/** How often something is in a picture; vega describes every mark. */
const marks = (svg: string, pattern: RegExp) => svg.match(new RegExp(pattern, 'g'))?.length ?? 0

function expectPicture(svg: string, texts: readonly string[]): void {
  expect(svg.slice(0, 4)).toBe('<svg')
  expect(/NaN|undefined|Infinity/.exec(svg)?.[0]).toBe(undefined)
  const wanted = [heading.title, ...heading.subtitle, ...texts]
  expect(wanted.filter((text) => !/<\/t(ext|span)>/.test(svg.split(`>${text}`)[1]?.slice(0, 8) ?? ''))).toEqual([])
}

const epoch = (index: number, accuracy: number) => ({
  epoch: index,
  loss: 1 - accuracy,
  accuracy,
  validation: { loss: 1.1 - accuracy, accuracy: accuracy - 0.1, correct: 1, count: 2 },
})

describe('pictures', () => {
  it('draw learning curves with a point for each run, set and epoch', async () => {
    const history = [epoch(0, 0.8), epoch(1, 0.9), epoch(2, 0.95)]
    const runs = ['one', 'two'].map((name) => ({ name, history }))
    const svg = await drawLearningCurves({ ...heading, runs })
    expectPicture(svg, ['epoch', 'loss', 'accuracy in %', 'one', 'two', 'training', 'validation'])
    expect(marks(svg, /aria-roledescription="point"/)).toBe(2 * 2 * 2 * 3)
    expect(marks(svg, /aria-roledescription="line mark"/)).toBe(2 * 2 * 2)
    const single = await drawLearningCurves({ ...heading, runs: [{ name: 'alone', history: [epoch(0, 0.5)] }] })
    expectPicture(single, ['epoch'])
    expect(single.includes('>alone</text>')).toBe(false)
  })

  it('draw windows with the density and the threshold', async () => {
    const windows = (['subtract', 'zero'] as const).map((reset) => {
      const neuron = createNeuron({ kind: 'lif', beta: 0.5, threshold: 2, reset })
      return { name: `reset ${reset}`, threshold: 2, window: gradientWindow(neuron, { timeSteps: 4 }) }
    })
    const svg = await drawGradientWindows({ ...heading, windows, handWidths: [0.5, 1] })
    expectPicture(svg, ['threshold', 'derived', 'hand-set, half-width 0.5', 'reset subtract', 'reset zero'])
    expect(marks(svg, /aria-roledescription="line mark"/)).toBe(2 * 3)
    expect(marks(svg, /aria-roledescription="area mark"/)).toBe(2)
    expect(marks(svg, /aria-roledescription="rule mark"/)).toBe(2)
  })

  it('draw traces with every charged membrane, reset and spike', async () => {
    const traces = [
      { name: 'quiet', threshold: 1, charged: [0.25, 0.5], membranePotentials: [0.25, 0.5], spikes: [0, 0] },
      { name: 'firing', threshold: 1, charged: [1.5, 1.25], membranePotentials: [0.5, 0.25], spikes: [1, 1] },
    ]
    const svg = await drawMembraneTraces({ ...heading, traces })
    expectPicture(svg, ['quiet', 'firing', 'time step', 'membrane potential', 'Dashed: the threshold.'])
    expect(marks(svg, /kind: charged/)).toBe(4)
    expect(marks(svg, /kind: reset/)).toBe(2)
    expect(marks(svg, /kind: spike/)).toBe(2)
    expect(marks(svg, /aria-roledescription="rule mark"/)).toBe(2)
  })

  it('draw a raster with a mark for each spike', async () => {
    const rasters = ['3', '5'].map((name) => ({ name, timeSteps: 2, neurons: 4, spikes: [1, 0, 0, 1, 0, 1, 0, 0] }))
    const svg = await drawSpikeRaster({ ...heading, rasters })
    expectPicture(svg, ['neuron', 'time step', '3', '5', '38 % fire'])
    expect(marks(svg, /aria-roledescription="rect mark"/)).toBe(6)
  })

  it('draw accuracies with a dot for each run and one interval for each row', async () => {
    const rows = [
      { name: 'LIF', mean: 0.985, interval: [0.98, 0.99], runs: [0.98, 0.985, 0.99] },
      { name: 'QIF', mean: 0.99, interval: [0.985, 0.995], runs: [0.99, 0.99] },
    ] as const
    const svg = await drawAccuracy({ ...heading, rows })
    expectPicture(svg, ['LIF', 'QIF', '98.50 %', '99.00 %', 'accuracy in %'])
    expect(marks(svg, /aria-roledescription="circle"|aria-roledescription="point"/)).toBe(5 + 2)
    expect(marks(svg, /aria-roledescription="rule mark"/)).toBe(2)
  })

  it('draw whatever Vega-Lite can', async () => {
    const views = {
      data: { values: [{ x: 1 }, { x: 2 }] },
      mark: 'tick',
      encoding: { x: { field: 'x', type: 'quantitative' } },
    }
    const svg = await drawSvg({ ...heading, views })
    expectPicture(svg, [])
    expect(marks(svg, /aria-roledescription="tick"/)).toBe(2)
  })
})
