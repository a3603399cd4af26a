import * as vega from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'

/** A Vega-Lite specification as an SVG document. */
export async function drawSvg(spec: Omit<Extract<TopLevelSpec, { vconcat: unknown }>, '$schema'>): Promise<string> {
  const whole = { $schema: 'https://vega.github.io/schema/vega-lite/v5.json', ...spec } as TopLevelSpec
  const view = new vega.View(vega.parse(compile(whole).spec), { renderer: 'none' })
  try {
    return await view.toSVG()
  } finally {
    view.finalize()
  }
}
