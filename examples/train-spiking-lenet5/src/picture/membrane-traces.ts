import { BLUE, ORANGE } from './colours.ts'
import { drawSvg, type Heading } from './draw-svg.ts'
import { wholeTicks } from './whole-ticks.ts'

/** One neuron over the time steps, from u = 0. */
export interface MembraneTrace {
  readonly name: string
  readonly threshold: number
  /** Before the reset, one value per step. */
  readonly charged: ArrayLike<number>
  /** After the reset. */
  readonly membranePotentials: ArrayLike<number>
  /** 1 where the neuron fired. */
  readonly spikes: ArrayLike<number>
}

export interface MembraneTracesPicture extends Heading {
  readonly traces: readonly MembraneTrace[]
  /** Panels in a row; default 4. */
  readonly columns?: number
}

const KINDS = ['charged', 'reset', 'spike']

/** A panel for each neuron: to the charged membrane, back by the reset, threshold dashed, spikes orange. */
export function drawMembraneTraces({ traces, columns = 4, title, subtitle = [] }: MembraneTracesPicture) {
  const values = traces.map(({ charged, membranePotentials, threshold }) => [
    ...Array.from(charged),
    ...Array.from(membranePotentials),
    threshold,
    0,
  ])
  const [low, high] = [Math.min(...values.flat()), Math.max(...values.flat())]
  const room = 0.08 * (high - low)
  const domain = [low - room, high + 3 * room]
  const concat = traces.map((trace) => panel(trace, domain, high + 2 * room))
  return drawSvg({ title, subtitle: [...subtitle, 'Dashed: the threshold.'], views: { concat, columns } })
}

function panel(trace: MembraneTrace, domain: readonly number[], spikeHeight: number): object {
  const steps = trace.charged.length
  const path = [{ step: 0, u: 0, order: 0 }]
  const points: { step: number; u: number; kind: string | undefined }[] = []
  for (let t = 0; t < steps; t++) {
    const [charged, after] = [trace.charged[t]!, trace.membranePotentials[t]!]
    path.push({ step: t + 1, u: charged, order: 2 * t + 1 }, { step: t + 1, u: after, order: 2 * t + 2 })
    points.push({ step: t + 1, u: charged, kind: KINDS[0] })
    if (trace.spikes[t] !== 0)
      points.push({ step: t + 1, u: after, kind: KINDS[1] }, { step: t + 1, u: spikeHeight, kind: KINDS[2] })
  }
  const x = {
    field: 'step',
    type: 'quantitative',
    title: 'time step',
    axis: { values: wholeTicks(0, steps), format: 'd', grid: false },
    scale: { domain: [0, steps + 0.3], nice: false },
  }
  const y = { field: 'u', type: 'quantitative', title: 'membrane potential', scale: { domain, nice: false } }
  const kind = (range: readonly unknown[]) => ({
    field: 'kind',
    type: 'nominal',
    scale: { domain: KINDS, range },
    legend: { title: null, orient: 'bottom' },
  })
  return {
    width: 160,
    height: 160,
    title: { text: trace.name, fontSize: 12, fontWeight: 'normal', anchor: 'middle' },
    layer: [
      {
        data: { values: [{ u: trace.threshold }] },
        mark: { type: 'rule', strokeDash: [4, 3], color: '#666' },
        encoding: { y },
      },
      {
        data: { values: path },
        mark: { type: 'line', color: '#b9c7d6', strokeWidth: 1.5 },
        encoding: { x, y, order: { field: 'order', type: 'quantitative' } },
      },
      {
        data: { values: points },
        mark: { type: 'point', filled: true, opacity: 1, size: 36 },
        encoding: {
          x,
          y,
          color: kind([BLUE, '#9fb6cf', ORANGE]),
          shape: kind(['circle', 'square', 'triangle-down']),
        },
      },
    ],
  }
}
