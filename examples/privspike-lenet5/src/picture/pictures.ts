/** What a look into a run is drawn as. */
import type { LayerLook } from '../look/examine.ts'
import { drawDrift } from './drift.ts'
import { drawMargin } from './margin.ts'
import { drawRaster } from './raster.ts'
import type { Subject } from './subject.ts'

/** SVG documents by file name. */
export async function drawLook(
  layers: readonly LayerLook[],
  subject: Subject,
): Promise<Readonly<Record<string, string>>> {
  const isExact = layers.some(({ distances }) => distances.length > 0)
  return {
    'raster.svg': await drawRaster(layers, subject),
    ...(isExact
      ? { 'margin.svg': await drawMargin(layers, subject) }
      : { 'drift.svg': await drawDrift(layers, subject) }),
  }
}
