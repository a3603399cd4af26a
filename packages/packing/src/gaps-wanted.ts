import type { Model } from '@he-ml/model'

/**
 * What the readers of a node's result bear in slots without an element: 'zero' when a gap-sensitive layer reads it, directly
 * or through homogeneous layers, which pass gaps on; else 'any'. For `LowerContext.gaps`.
 */
export function gapsWanted(model: Model, name: string): 'zero' | 'any' {
  for (const node of model.nodes) {
    if (!node.inputs.includes(name)) continue
    if (node.layer.gapSensitive) return 'zero'
    if (node.layer.homogeneous && gapsWanted(model, node.name) === 'zero') return 'zero'
  }
  return 'any'
}
