/** How long values of a model without time steps are needed when its nodes run one after the other. */
import { type Model, sizeOf } from '@he-ml/model'

export interface LiveValues {
  /** For each node, the values that nobody reads after it. The model's output is kept. */
  readonly freed: readonly (readonly string[])[]
  /** Most elements that are needed at one time. */
  readonly peak: number
}

export function liveValues(model: Model): LiveValues {
  const last = new Map<string, number>(model.inputs.map((name) => [name, 0]))
  for (const [i, { inputs, values }] of model.nodes.entries())
    for (const name of [...inputs, ...values]) last.set(name, i)
  last.delete(model.output)
  const freed = model.nodes.map((): string[] => [])
  for (const [name, i] of last) freed[i]!.push(name)
  const size = (name: string) => sizeOf(model.shapes.get(name)!)
  let live = model.inputs.reduce((sum, name) => sum + size(name), 0)
  let peak = live
  for (const [i, { values }] of model.nodes.entries()) {
    live += values.reduce((sum, name) => sum + size(name), 0)
    peak = Math.max(peak, live)
    live -= freed[i]!.reduce((sum, name) => sum + size(name), 0)
  }
  return { freed, peak }
}
