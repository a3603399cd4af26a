/** A run as a picture: which layer was at work when, and how much memory the engine held. */
import type { Plan, TaskTrace } from '@he-ml/pipeline'
import { drawSvg } from './draw-svg.ts'

const OTHERS = 'linear layers, sums and pools'
const COLORS: Readonly<Record<string, string>> = {
  refresh: '#7a5195',
  activation: '#c9792b',
  quadratic: '#c9792b',
  square: '#c9792b',
  merge: '#2f7d5b',
  [OTHERS]: '#3b6ea5',
}

/** The trace of a run as an SVG document. */
export function traceSvg({ model, batch, report }: Plan, traces: readonly TaskTrace[]): Promise<string> {
  const bars = traces.map((trace) => ({ ...trace, kind: trace.kind in COLORS ? trace.kind : OTHERS }))
  const kinds = [...new Set(bars.map(({ kind }) => kind))]
  const rows = [...new Set(traces.map(({ layer }) => layer))]
  const seconds = traces.reduce((most, { end }) => Math.max(most, end), 0)
  const peak = traces.reduce((most, { peakBytes }) => Math.max(most, peakBytes), 0)
  const time = { field: 'start', type: 'quantitative' as const, title: 'seconds', scale: { domain: [0, seconds] } }
  return drawSvg({
    background: 'white',
    padding: 16,
    title: {
      text: `${model.name}: ${batch === 1 ? 'one image' : `${batch} images`} in ${seconds.toFixed(1)} s`,
      subtitle: `planned ${report.seconds.toFixed(1)} s on ${report.threads} thread${report.threads === 1 ? '' : 's'}; engine at most ${(peak / 1e9).toFixed(2)} GB`,
      anchor: 'start',
    },
    vconcat: [
      {
        width: 900,
        height: Math.max(120, 11 * rows.length),
        data: { values: bars },
        mark: { type: 'bar', height: 8 },
        encoding: {
          x: time,
          x2: { field: 'end' },
          y: { field: 'layer', type: 'nominal', sort: rows, title: null, axis: { labelFontSize: 8, labelLimit: 260 } },
          color: {
            field: 'kind',
            type: 'nominal',
            title: null,
            scale: { domain: kinds, range: kinds.map((kind) => COLORS[kind]!) },
            legend: { orient: 'top', labelLimit: 300 },
          },
        },
      },
      {
        width: 900,
        height: 140,
        data: { values: traces.map(({ end, memoryBytes }) => ({ end, gigabytes: memoryBytes / 1e9 })) },
        mark: { type: 'area', interpolate: 'step-after', color: '#9ab3cf', line: { color: '#3b6ea5' } },
        encoding: {
          x: { field: 'end', type: 'quantitative', title: 'seconds', scale: { domain: [0, seconds] } },
          y: { field: 'gigabytes', type: 'quantitative', title: 'GB held by the engine' },
        },
      },
    ],
  })
}
