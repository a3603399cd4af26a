/** A plan as a picture: the level after every layer, and how long each layer is expected to take. */
import type { Plan } from '@he-ml/pipeline'
import { drawSvg } from './draw-svg.ts'
import { rowsOf } from './plan-text.ts'

/** The plan as an SVG document. */
export function planSvg(plan: Plan): Promise<string> {
  const { report } = plan
  const layers = rowsOf(report.layers).map((l, order) => ({ ...l, order, label: l.name }))
  const levels = [
    { label: 'input', order: -1, level: plan.input.level },
    ...layers.map((l) => ({ label: l.name, order: l.order, level: l.outputLevel })),
  ]
  const axis = {
    field: 'label',
    type: 'nominal' as const,
    sort: { field: 'order' },
    title: null,
    axis: { labelAngle: -40 },
  }
  return drawSvg({
    background: 'white',
    padding: 16,
    title: {
      text: `${plan.model.name}: ${report.depth} levels, ring 2^${report.logN}, ${report.securityMarginBits.toFixed(0)} bits below the 128-bit limit`,
      subtitle: `${report.rotations} rotations, ${report.products} products, ${report.keys.count} keys, about ${report.seconds.toFixed(2)} s a run`,
      anchor: 'start',
    },
    vconcat: [
      {
        width: 640,
        height: 200,
        data: { values: levels },
        mark: { type: 'line', interpolate: 'step-before', point: true, color: '#3b6ea5' },
        encoding: { x: axis, y: { field: 'level', type: 'quantitative', title: 'level left after the layer' } },
      },
      {
        width: 640,
        height: 160,
        data: { values: layers },
        mark: { type: 'bar', color: '#c9792b' },
        encoding: {
          x: { ...axis, sort: { field: 'order' } },
          y: { field: 'seconds', type: 'quantitative', title: 'expected seconds' },
          tooltip: [{ field: 'name' }, { field: 'rotations' }, { field: 'products' }],
        },
      },
    ],
  })
}
