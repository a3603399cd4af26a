import { drawSvg } from '@he-ml/example-train-spiking-lenet5/picture'
import type { LayerLook } from '../look/examine.ts'
import type { Subject } from './subject.ts'

const KINDS = ['from the clear network', 'from the same polynomials'] as const

/** How far charged membranes are off over the time steps, layer by layer: what soft spikes cost, and what encryption does. */
export function drawDrift(layers: readonly LayerLook[], { name, label }: Subject): Promise<string> {
  const values = layers.flatMap(({ name: layer, threshold, drift }) =>
    drift.flatMap(({ charged, encryption }, t) =>
      [charged, encryption].flatMap((off, i) =>
        // a logarithmic axis has no place for 0
        off !== undefined && off > 0 ? [{ layer, step: t + 1, kind: KINDS[i]!, off: off / threshold }] : [],
      ),
    ),
  )
  const names = layers.map(({ name: layer }) => layer)
  const steps = Math.max(1, ...layers.map(({ timeSteps }) => timeSteps))
  return drawSvg({
    title: `Drift of membranes with soft spikes: ${name}, a ${label}`,
    subtitle: ['Root mean square difference of charged membranes.'],
    views: {
      width: 420,
      height: 260,
      data: { values },
      mark: { type: 'line', point: { filled: true, size: 36, opacity: 1 }, strokeWidth: 1.5 },
      encoding: {
        x: {
          field: 'step',
          type: 'quantitative',
          title: 'time step',
          scale: { domain: [0.8, steps + 0.2], nice: false },
          axis: { values: Array.from({ length: steps }, (_, t) => t + 1), format: 'd', grid: false },
        },
        y: {
          field: 'off',
          type: 'quantitative',
          title: 'difference in thresholds',
          scale: { type: 'log' },
          axis: { format: '.0e', tickCount: 6 },
        },
        color: {
          field: 'layer',
          type: 'nominal',
          sort: null,
          scale: { domain: names, range: ['#3b6ea5', '#c9792b', '#6a9f58', '#a05195', '#7f6a55', '#3aa6a6'] },
          title: null,
        },
        strokeDash: {
          field: 'kind',
          type: 'nominal',
          sort: null,
          scale: {
            domain: KINDS,
            range: [
              [1, 0],
              [4, 3],
            ],
          },
          title: null,
          legend: { symbolType: 'stroke', symbolSize: 400, symbolStrokeColor: '#333' },
        },
      },
    },
  })
}
