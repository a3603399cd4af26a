/** Products that are an activation written out. */
import { ActivationLayer, activation } from '@he-ml/nn-layers'
import type { Graph } from '../graph.ts'
import type { Operation } from '../operation.ts'

/** Relative error allowed in constants such as 1 / sqrt 2: float32 and decimal literals of exporters. */
const TOLERANCE = 1e-5

/** Which function of `x` a node is, if it is an activation of that. */
export function functionOf(graph: Graph, candidate: string, x: string): string | undefined {
  const node = graph.node(candidate)
  if (node.kind !== 'layer' || node.inputs[0] !== x) return undefined
  return node.layer instanceof ActivationLayer ? node.layer.function : undefined
}

/** A node as multiplier * base + shift per channel. */
interface Form {
  readonly base: string
  readonly multiplier: Float64Array
  readonly shift: Float64Array
}

function formOf(graph: Graph, id: string): Form {
  const node = graph.node(id)
  if (node.kind === 'affine') return { base: node.inputs[0]!, multiplier: node.multiplier, shift: node.shift }
  const channels = node.shape[0]!
  return { base: id, multiplier: new Float64Array(channels).fill(1), shift: new Float64Array(channels) }
}

/** The number r with a = r * b, if there is one. */
function ratio(a: Form, b: Form): number | undefined {
  if (a.base !== b.base) return undefined
  const most = b.multiplier.reduce((best, m, c) => (Math.abs(m) > Math.abs(b.multiplier[best]!) ? c : best), 0)
  const r = a.multiplier[most]! / b.multiplier[most]!
  if (!Number.isFinite(r) || r === 0) return undefined
  const near = (x: Float64Array, y: Float64Array) =>
    x.every((v, c) => Math.abs(v - r * y[c]!) <= TOLERANCE * Math.abs(r * y[c]!) + 1e-12)
  return near(a.multiplier, b.multiplier) && near(a.shift, b.shift) ? r : undefined
}

/** (s x) * a (1 + erf(x / sqrt 2)) = 2 a s gelu(x), as a node; undefined for other products. */
export function gelu(op: Operation, factor: string, gate: string): string | undefined {
  const { graph } = op.context
  const outer = graph.node(gate)
  if (outer.kind !== 'affine') return undefined
  const erf = graph.node(outer.inputs[0]!)
  if (erf.kind !== 'erf') return undefined
  const a = outer.multiplier[0]!
  const same = (values: Float64Array) => values.every((v) => Math.abs(v - a) <= TOLERANCE * Math.abs(a))
  if (!same(outer.multiplier) || !same(outer.shift)) return undefined
  const form = formOf(graph, factor)
  const r = ratio(form, formOf(graph, erf.inputs[0]!))
  if (r === undefined) return undefined
  const scale = r / Math.SQRT2
  const unscaled = (values: Float64Array) => values.map((v) => v / scale)
  const x =
    Math.abs(scale - 1) <= TOLERANCE
      ? factor
      : graph.addAffine(graph.uniqueName(`${op.name}_input`), form.base, {
          multiplier: unscaled(form.multiplier),
          shift: unscaled(form.shift),
        })
  const core = graph.addLayer(activation({ name: op.name, function: 'gelu' }), [x])
  const multiplier = new Float64Array(graph.node(core).shape[0]!).fill(2 * a * (x === factor ? 1 : scale))
  const numbers = { multiplier, shift: new Float64Array(multiplier.length) }
  return graph.addAffine(graph.uniqueName(`${op.name}_scale`), core, numbers)
}
