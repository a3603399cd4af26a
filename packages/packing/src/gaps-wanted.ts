import type { Model } from './model.ts'

/**
 * What the readers of a layer's output bear in slots without an element: 'zero' when a gap-sensitive layer reads it, directly
 * or through homogeneous layers, which pass gaps on; else 'any'. For `LowerContext.gaps`.
 */
export function gapsWanted(model: Model, name: string): 'zero' | 'any' {
  for (const { layer, inputs } of model.nodes) {
    if (!inputs.includes(name)) continue
    if (layer.gapSensitive) return 'zero'
    if (layer.homogeneous && gapsWanted(model, layer.name) === 'zero') return 'zero'
  }
  return 'any'
}
