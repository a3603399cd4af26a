/** NIR graphs for tests. */
import type { NirArray, NirGraph, NirNode } from '../index.ts'

export const array = (
  shape: readonly number[],
  valueAt: (i: number) => number = (i) => (i % 7) / 8 - 0.25,
): NirArray => ({
  shape,
  data: Array.from({ length: shape.reduce((product, d) => product * d, 1) }, (_, i) => valueAt(i)),
})

export const lif = (shape: readonly number[], tau = 0.0078125): NirNode => ({
  type: 'LIF',
  tau: array(shape, () => tau),
  r: array(shape, () => 1),
  v_leak: array(shape, () => 0),
  v_threshold: array(shape, () => 1),
  v_reset: array(shape, () => 0),
})

/** A chain of nodes in this order. */
export function chain(nodes: Readonly<Record<string, NirNode>>): NirGraph {
  const names = Object.keys(nodes)
  return { version: '1.0.6', nodes, edges: names.slice(1).map((to, i) => [names[i]!, to] as const) }
}

/** One of every node type; all values are exact in single precision. */
export const everyType: NirGraph = chain({
  input: { type: 'Input', shape: [2, 10, 8] },
  conv: {
    type: 'Conv2d',
    input_shape: [10, 8],
    weight: array([4, 1, 3, 3]),
    bias: array([4]),
    stride: [1, 1],
    padding: [1, 1],
    dilation: [1, 1],
    groups: 2,
  },
  'lif.1': { ...lif([4, 10, 8]), metadata: { reset: 'subtract', grid: 64 } },
  same: {
    type: 'Conv2d',
    weight: array([3, 4, 3, 5]),
    bias: array([3]),
    stride: [1, 1],
    padding: 'same',
    dilation: [1, 1],
    groups: 1,
  },
  average: { type: 'AvgPool2d', kernel_size: [2, 2], stride: [2, 2], padding: [0, 0] },
  sum: { type: 'SumPool2d', kernel_size: [2, 1], stride: [2, 1], padding: [1, 0] },
  flatten: { type: 'Flatten', start_dim: 0, end_dim: -1, input_type: [3, 3, 4] },
  linear: { type: 'Linear', weight: array([6, 36]) },
  if: { type: 'IF', r: array([6]), v_threshold: array([6]), v_reset: array([6]) },
  affine: { type: 'Affine', weight: array([5, 6]), bias: array([5]) },
  qif: {
    type: 'HeMlQIF',
    a: array([5]),
    u1: array([5]),
    u2: array([5]),
    v_threshold: array([5]),
    v_reset: array([5]),
  },
  readout: { type: 'LI', tau: array([5], () => 0.5), r: array([5]), v_leak: array([5]) },
  output: { type: 'Output', shape: [5] },
})
