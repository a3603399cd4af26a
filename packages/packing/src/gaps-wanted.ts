import type { Model } from '@he-ml/model'

/**
 * What the readers of a value bear in slots without an element: 'zero' when a gap-sensitive layer reads it, directly or
 * through homogeneous layers, which pass gaps on; else 'any'. For `LowerContext.gaps`.
 *
 * @param name a value, or a node, whose results are all asked for; of a model without states (`unroll`)
 */
export function gapsWanted(model: Model, name: string): 'zero' | 'any' {
  const values = model.nodes.find((node) => node.name === name)?.values ?? [name]
  for (const { name: reader, layer, inputs } of model.nodes) {
    if (!values.some((value) => inputs.includes(value))) continue
    if (layer.gapSensitive) return 'zero'
    if ('homogeneous' in layer && layer.homogeneous && gapsWanted(model, reader) === 'zero') return 'zero'
  }
  return 'any'
}
