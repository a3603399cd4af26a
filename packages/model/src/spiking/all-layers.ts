import type { LayerDescription } from './description.ts'

/** Layers inside residual blocks included. */
export const allLayers = (layers: readonly LayerDescription[]): readonly LayerDescription[] =>
  layers.flatMap((layer) => (layer.kind === 'residual' ? [layer, ...layer.main, ...layer.shortcut] : [layer]))
