/** Neurons and a straightforward reference for the tests of this package: scalar formulas, no shared code. */
import { createNeuron, type Neuron } from './index.ts'

/** Every kind with every reset. */
export const neurons: readonly [string, Neuron][] = (['subtract', 'zero', 'none'] as const).flatMap(
  (reset): [string, Neuron][] => [
    [`lif, ${reset}`, createNeuron({ kind: 'lif', beta: 0.6, threshold: 0.8, reset })],
    [`qif, ${reset}`, createNeuron({ kind: 'qif', a: 0.25, u1: -0.125, u2: 0.5, threshold: 0.75, reset })],
    [`qif with u1 = u2, ${reset}`, createNeuron({ kind: 'qif', a: 0.3, u1: 0.2, u2: 0.2, threshold: 1, reset })],
  ],
)

/** The formulas as the papers write them, in double precision or rounded to single after every operation. */
export function referenceStep(neuron: Neuron, u: number, x: number, single = false) {
  const r = single ? Math.fround : (v: number) => v
  const distance = neuron.kind === 'qif' ? r(u - r(neuron.u1)) : 0
  const v =
    neuron.kind === 'lif'
      ? r(r(r(neuron.beta) * u) + x)
      : neuron.u1 === neuron.u2
        ? r(r(r(distance * distance) * r(neuron.a)) + x)
        : r(r(r(distance * r(neuron.a)) * r(u - r(neuron.u2))) + x)
  const s = v >= r(neuron.threshold) ? 1 : 0
  if (s === 0 || neuron.reset === 'none') return { charged: v, spike: s, membranePotential: v }
  return { charged: v, spike: s, membranePotential: neuron.reset === 'zero' ? 0 : r(v - r(neuron.threshold)) }
}
