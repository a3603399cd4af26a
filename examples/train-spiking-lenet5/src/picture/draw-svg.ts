/** Vega-Lite pictures in the style of this repository, drawn without a browser. */
import * as vega from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'

/** What a picture is about. */
export interface Heading {
  readonly title: string
  /** Lines below it: what was measured, on what. */
  readonly subtitle?: readonly string[]
}

/** A picture: its heading, and Vega-Lite's views (layer, hconcat, vconcat, mark ...). */
export interface PictureSpec extends Heading {
  readonly views: object
}

/** An SVG document. */
export async function drawSvg({ title, subtitle = [], views }: PictureSpec): Promise<string> {
  const spec = {
    $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
    background: 'white',
    padding: 20,
    config: {
      view: { stroke: null },
      axis: { gridColor: '#eee', domainColor: '#999', tickColor: '#999', titleFontWeight: 'normal' },
      font: 'sans-serif',
      legend: { labelLimit: 300, titleFontWeight: 'normal' },
    },
    title: { text: title, subtitle: [...subtitle], anchor: 'start', fontSize: 16, subtitlePadding: 6, offset: 16 },
    spacing: 28,
    ...views,
  } as TopLevelSpec
  const view = new vega.View(vega.parse(compile(spec).spec), { renderer: 'none', logLevel: vega.Error })
  try {
    return await view.toSVG()
  } finally {
    view.finalize()
  }
}
