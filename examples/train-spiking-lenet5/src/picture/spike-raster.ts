import { BLUE, ORANGE } from './colours.ts'
import { drawSvg, type Heading } from './draw-svg.ts'
import { wholeTicks } from './whole-ticks.ts'

/** A layer's answer to one sample. */
export interface SpikeRaster {
  /** May have several lines. */
  readonly name: string
  readonly timeSteps: number
  readonly neurons: number
  /** [timeSteps, neurons]; not 0 where a neuron fired. */
  readonly spikes: ArrayLike<number>
  /** The same as it should be: what differs is drawn in other colours, also spikes that are missing. */
  readonly expected?: ArrayLike<number>
}

const KINDS = ['spike', 'unexpected', 'missing'] as const

/** A panel for each sample: neurons from top to bottom, time steps from left to right, a mark for each spike. */
export function drawSpikeRaster({ rasters, ...heading }: Heading & { readonly rasters: readonly SpikeRaster[] }) {
  return drawSvg({
    ...heading,
    views: {
      hconcat: rasters.map((raster, i) => panel(raster, raster.neurons !== rasters[i - 1]?.neurons)),
      spacing: 12,
    },
  })
}

function panel({ name, timeSteps, neurons, spikes, expected = spikes }: SpikeRaster, hasAxis: boolean): object {
  const values: { step: number; neuron: number; kind: (typeof KINDS)[number] }[] = []
  for (let t = 0; t < timeSteps; t++)
    for (let neuron = 0; neuron < neurons; neuron++) {
      const [fires, should] = [spikes, expected].map((all) => all[t * neurons + neuron] !== 0)
      if (fires || should)
        values.push({ step: t + 1, neuron, kind: !should ? 'unexpected' : fires ? 'spike' : 'missing' })
    }
  const share = (100 * values.filter(({ kind }) => kind !== 'missing').length) / (timeSteps * neurons)
  return {
    width: Math.max(64, 14 * timeSteps),
    height: 360,
    view: { stroke: '#ccc', fill: '#fafafa' },
    title: {
      text: [...name.split('\n'), `${share.toFixed(0)} % fire`],
      fontSize: 11,
      fontWeight: 'normal',
      anchor: 'middle',
    },
    data: { values },
    transform: [
      { calculate: 'datum.step - 0.45', as: 'from' },
      { calculate: 'datum.step + 0.45', as: 'to' },
      { calculate: 'datum.neuron + 1', as: 'below' },
    ],
    mark: { type: 'rect' },
    encoding: {
      color: {
        field: 'kind',
        type: 'nominal',
        scale: { domain: KINDS, range: [BLUE, ORANGE, '#f3d3b3'] },
        legend: null,
      },
      x: {
        field: 'from',
        type: 'quantitative',
        title: 'time step',
        scale: { domain: [0.5, timeSteps + 0.5], nice: false },
        axis: { values: Array.from({ length: timeSteps }, (_, t) => t + 1), format: 'd', grid: false },
      },
      x2: { field: 'to' },
      y: {
        field: 'neuron',
        type: 'quantitative',
        title: hasAxis ? 'neuron' : null,
        scale: { domain: [neurons, 0], nice: false },
        axis: { values: wholeTicks(0, neurons), grid: false, labels: hasAxis, ticks: hasAxis, format: 'd' },
      },
      y2: { field: 'below' },
    },
  }
}
