/** What a run was off by, as a picture: bits after every layer, as measured and as planned, and what of the values' range is right. */
import type { Plan } from '@he-ml/pipeline'
import type { ValueDifference } from '@he-ml/session/diff'
import { drawSvg } from './draw-svg.ts'

/** The differences as an SVG document. */
export function diffSvg({ model, id, functional }: Plan, differences: readonly ValueDifference[]): Promise<string> {
  const points = differences.map((d, order) => ({ ...d, label: labelOf(d), order }))
  const lines = (entries: readonly (readonly [string, (d: ValueDifference) => number | undefined])[]) =>
    points.flatMap((point) =>
      entries.flatMap(([of, value]) => {
        const bits = value(point)
        return bits !== undefined && Number.isFinite(bits) ? [{ label: point.label, order: point.order, of, bits }] : []
      }),
    )
  const absolute = lines([
    ['measured', (d) => d.bits],
    ['planned', (d) => d.plannedBits],
  ])
  const relative = lines([
    [functional ? 'against the clear neurons' : 'against the polynomials', (d) => d.relativeBits],
    ['against the exact functions', (d) => d.exactBits],
  ])
  const panel = (values: object[], title: string, colors: readonly string[], labels: boolean) => ({
    width: Math.max(480, 14 * points.length),
    height: 200,
    data: { values },
    mark: { type: 'line' as const, point: true },
    encoding: {
      x: {
        field: 'label',
        type: 'nominal' as const,
        sort: { field: 'order' },
        title: null,
        axis: labels ? { labelAngle: -50, labelLimit: 240 } : { labels: false, ticks: false },
      },
      y: { field: 'bits', type: 'quantitative' as const, title },
      color: {
        field: 'of',
        type: 'nominal' as const,
        title: null,
        scale: { range: [...colors] },
        legend: { orient: 'top' as const, labelLimit: 0 },
      },
    },
  })
  return drawSvg({
    background: 'white',
    padding: 16,
    title: {
      text: `${model.name}: encrypted against clear`,
      subtitle: `plan ${id.slice(0, 16)}, root mean square differences of all elements`,
      anchor: 'start',
    },
    resolve: { scale: { color: 'independent' } },
    vconcat: [
      panel(absolute, 'bits after the point', ['#c9792b', '#3b6ea5'], false),
      panel(relative, "bits of the values' range", ['#7a5195', '#2f7d5b'], true),
    ],
  })
}

/** Several results of one task have names of their own. */
const labelOf = ({ task, kind, value }: ValueDifference): string =>
  kind === 'refresh' || value === task ? task : `${task}: ${value}`
