/** a x^2 + b x + c written out: squares with one factor for all channels, and what is added to them. */
import { QuadraticLayer, quadratic, SquareLayer } from '@he-ml/nn-layers'
import type { AffineNode, Graph } from '../graph.ts'

interface Coefficients {
  readonly leading: number
  readonly linear: number
  readonly constant: number
}

/** A node as a quadratic of another, where it is one. */
interface Quadratic extends Coefficients {
  readonly base: string
}

/** The one number that all of them are. */
function uniform(values: Float64Array): number | undefined {
  const [first] = values
  return values.every((v) => v === first) ? first : undefined
}

function quadraticAt(graph: Graph, id: string): Quadratic | undefined {
  const node = graph.node(id)
  if (node.kind !== 'layer') return undefined
  const [base] = node.inputs as [string]
  if (node.layer instanceof SquareLayer) return { base, leading: 1, linear: 0, constant: 0 }
  if (!(node.layer instanceof QuadraticLayer)) return undefined
  const { leading, linear, constant } = node.layer
  return { base, leading, linear, constant }
}

/** multiplier * x + shift of such a node, as a node; undefined where it is none, or where channels differ. */
export function quadraticOf(
  graph: Graph,
  id: string,
  numbers: Pick<AffineNode, 'multiplier' | 'shift'>,
  name: () => string,
): string | undefined {
  const found = quadraticAt(graph, id)
  const [multiplier, shift] = [uniform(numbers.multiplier), uniform(numbers.shift)]
  if (!found || multiplier === undefined || shift === undefined || multiplier === 0) return undefined
  const { base, leading, linear, constant } = found
  const coefficients = {
    leading: multiplier * leading,
    linear: multiplier * linear,
    constant: multiplier * constant + shift,
  }
  return graph.addLayer(quadratic({ name: name(), ...coefficients }), [base])
}

/** The sum of a quadratic of x and a multiple of x, or of two quadratics of x, as a node; undefined for other sums. */
export function quadraticSum(graph: Graph, a: string, b: string, name: () => string): string | undefined {
  const [p, q] = [quadraticAt(graph, a), quadraticAt(graph, b)]
  if (p && q) return p.base === q.base ? together(graph, p, q, name) : undefined
  const [square, other] = p ? [p, b] : [q, a]
  if (!square) return undefined
  const line = lineOf(graph, other, square.base)
  return line && together(graph, square, line, name)
}

function together(graph: Graph, a: Quadratic, b: Coefficients, name: () => string): string | undefined {
  const leading = a.leading + b.leading
  if (leading === 0) return undefined
  const coefficients = { leading, linear: a.linear + b.linear, constant: a.constant + b.constant }
  return graph.addLayer(quadratic({ name: name(), ...coefficients }), [a.base])
}

/** A node as a multiple of another and a constant, the same for all channels. */
function lineOf(graph: Graph, id: string, base: string): Coefficients | undefined {
  if (id === base) return { leading: 0, linear: 1, constant: 0 }
  const node = graph.node(id)
  if (node.kind !== 'affine' || node.inputs[0] !== base) return undefined
  const [linear, constant] = [uniform(node.multiplier), uniform(node.shift)]
  return linear === undefined || constant === undefined ? undefined : { leading: 0, linear, constant }
}
