import { drawSvg } from '@he-ml/example-train-spiking-lenet5/picture'
import { type LayerLook, scatterOf } from '../look/examine.ts'
import { scatterText } from '../look/look-text.ts'
import type { Subject } from './subject.ts'

/** Shown on either side of a point, in steps of the grid; what is further out counts in the last bar. */
const REACH = 0.8
const BINS = 80
/** Lower end of a logarithmic axis of counts: a bar of one stands above it. */
const FLOOR = 0.7

interface Bar {
  readonly from: number
  readonly to: number
  readonly count: number
}

/** How far charged membranes lie from their points of the grid: all of them up to half a step, and enlarged, by layer. */
export function drawMargin(layers: readonly LayerLook[], { name, label, decisionMargin }: Subject): Promise<string> {
  const onGrid = layers.filter(({ distances }) => distances.length > 0)
  const all = onGrid.flatMap(({ distances }) => [...distances])
  const near = Math.min(REACH, 1.1 * (scatterOf(onGrid)?.furthest ?? 0) || REACH)
  const series = onGrid.flatMap(({ name: layer, distances }) =>
    histogram(distances, near, 41).map((bar) => ({ ...bar, layer })),
  )
  return drawSvg({
    title: `How sure ${all.length.toLocaleString('en')} decisions are: ${name}, a ${label}`,
    subtitle: scatterText(onGrid, decisionMargin),
    views: {
      hconcat: [whole(histogram(all, REACH, BINS)), enlarged(series, near, onGrid)],
      resolve: { scale: { x: 'independent', y: 'independent' } },
    },
  })
}

/** Bars; the outermost hold what is further out too. */
function histogram(distances: ArrayLike<number>, reach: number, bins: number): Bar[] {
  const width = (2 * reach) / bins
  const counts = new Float64Array(bins)
  for (const distance of Array.from(distances))
    counts[Math.min(bins - 1, Math.max(0, Math.floor((distance + reach) / width)))]! += 1
  return Array.from(counts, (count, i) => ({ from: -reach + i * width, to: -reach + (i + 1) * width, count }))
}

const counts = {
  type: 'quantitative',
  scale: { type: 'log', nice: false },
  axis: { format: '~s', tickCount: 5 },
} as const
const countScale = (bars: readonly Bar[]) => ({
  type: 'log',
  domain: [FLOOR, 2 * Math.max(...bars.map(({ count }) => count))],
  nice: false,
})

/** Every decision, between the lines where one at the threshold would be wrong. */
function whole(bars: readonly Bar[]): object {
  const scale = { domain: [-REACH, REACH], nice: false }
  const x = {
    field: 'from',
    type: 'quantitative',
    title: 'distance from the point of the grid, in steps of the grid',
    scale,
  }
  const y = { ...counts, field: 'count', title: 'charged membranes', scale: countScale(bars) }
  return {
    width: 340,
    height: 240,
    layer: [
      {
        data: { values: bars.filter(({ count }) => count > 0) },
        mark: { type: 'bar', color: '#3b6ea5' },
        encoding: { x, x2: { field: 'to' }, y, y2: { datum: FLOOR } },
      },
      {
        data: { values: [{ at: -0.5 }, { at: 0.5 }] },
        mark: { type: 'rule', strokeDash: [4, 3], color: '#c9792b', strokeWidth: 1.5 },
        encoding: { x: { ...x, field: 'at' } },
      },
      {
        data: { values: [{ at: (-0.5 - REACH) / 2 }, { at: (0.5 + REACH) / 2 }] },
        mark: { type: 'text', y: 10, color: '#c9792b', text: 'beyond' },
        encoding: { x: { ...x, field: 'at' } },
      },
    ],
  }
}

/** The middle, a line for each layer. */
function enlarged(
  bars: readonly (Bar & { readonly layer: string })[],
  near: number,
  layers: readonly LayerLook[],
): object {
  const names = layers.map(({ name }) => name)
  return {
    width: 340,
    height: 240,
    data: {
      values: bars.map((bar) => ({ ...bar, middle: (bar.from + bar.to) / 2, shown: Math.max(FLOOR, bar.count) })),
    },
    mark: { type: 'line', interpolate: 'step', strokeWidth: 1.5 },
    encoding: {
      x: {
        field: 'middle',
        type: 'quantitative',
        title: 'the same, enlarged',
        scale: { domain: [-near, near], nice: false },
        axis: { tickCount: 5 },
      },
      y: { ...counts, field: 'shown', title: null, scale: countScale(bars) },
      color: {
        field: 'layer',
        type: 'nominal',
        sort: null,
        scale: { domain: names, range: ['#3b6ea5', '#c9792b', '#6a9f58', '#a05195', '#7f6a55', '#3aa6a6'] },
        title: null,
      },
    },
  }
}
