import { createProgramKernel, hardSpike } from '@he-ml/float-kernels'
import { createNeuron } from '@he-ml/model/spiking'
import { describe, expect, it } from 'vitest'
import { numberArithmetic } from '../arithmetic/number-arithmetic.ts'
import { neuronPrograms } from './neuron-programs.ts'
import { charge, resetMembrane } from './recurrence.ts'

describe('a kernel of recorded programs', () => {
  const neuron = createNeuron({ kind: 'qif', a: 0.25, u1: 0, u2: 0.5, threshold: 1, reset: 'subtract' })
  const count = 3000
  const membranePotential = Float64Array.from({ length: count }, (_, i) => Math.sin(i))
  const input = Float64Array.from({ length: count }, (_, i) => 2 * Math.sin(2 * i))
  const quarters = (value: number) => Math.floor(4 * value) / 4
  const kernel = createProgramKernel(neuronPrograms(neuron), {
    round: (charged) => charged.set(charged.map(quarters)),
    pullBack: (charged, gradient) => gradient.set(gradient.map((g, i) => (charged[i]! < 0 ? 0 : 3 * g))),
  })

  it('fires and resets from the rounded membrane', () => {
    const [spike, next, charged] = [new Float64Array(count), new Float64Array(count), new Float64Array(count)]
    kernel.forward({ membranePotential, input }, hardSpike(1), { spike, membranePotential: next, charged })
    for (let i = 0; i < count; i++) {
      const v = quarters(charge(numberArithmetic, neuron, membranePotential[i]!, input[i]!))
      const s = v >= 1 ? 1 : 0
      expect([charged[i], spike[i], next[i]]).toEqual([v, s, resetMembrane(numberArithmetic, neuron, v, s)])
    }
  })
  it('pulls gradients back through the rounding, at the exact membrane', () => {
    const gradients = { spike: new Float64Array(count), membranePotential: new Float64Array(count).fill(1) }
    const result = { membranePotential: new Float64Array(count), input: new Float64Array(count) }
    kernel.backward({ membranePotential, input }, hardSpike(1), gradients, result)
    for (let i = 0; i < count; i++) {
      const v = charge(numberArithmetic, neuron, membranePotential[i]!, input[i]!)
      expect(result.input[i]).toBe(v < 0 ? 0 : 3)
    }
  })
})
