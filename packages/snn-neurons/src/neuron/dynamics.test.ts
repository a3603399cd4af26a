import { hardSpike } from '@he-ml/float-kernels'
import { createNeuron } from '@he-ml/model/spiking'
import { describe, expect, it } from 'vitest'
import { numberArithmetic } from '../arithmetic/number-arithmetic.ts'
import { normalAt } from '../coding/counter-random.ts'
import { neurons, referenceStep } from '../testing.test-helper.ts'
import { forwardThroughTime } from '../training/through-time.ts'
import { createNeuronKernel } from './neuron-kernel.ts'
import { advance } from './recurrence.ts'

const SEED = 20261121
const TIME_STEPS = 4
const NEURONS = 2500

describe.each(neurons)('%s', (_, neuron) => {
  const scalarInput = Float64Array.from({ length: TIME_STEPS * NEURONS }, (_, i) => 0.8 * normalAt(SEED, i))

  it.each([
    ['float64', scalarInput, false],
    ['float32', Float32Array.from(scalarInput), true],
  ] as const)('arrays in %s give the reference bit for bit on 10,000 neuron-steps', (_precision, input, single) => {
    const trace = forwardThroughTime(createNeuronKernel(neuron), hardSpike(neuron.threshold), input, TIME_STEPS)
    let fired = 0
    for (let i = 0; i < NEURONS; i++) {
      let u = 0
      for (let t = 0; t < TIME_STEPS; t++) {
        const at = t * NEURONS + i
        const want = referenceStep(neuron, u, input[at]!, single)
        u = want.membranePotential
        fired += want.spike
        if (trace.spikes[at] !== want.spike || trace.charged[at] !== want.charged || trace.membranePotentials[at] !== u)
          expect.fail(`neuron ${i}, step ${t}: ${JSON.stringify(want)}, got ${trace.charged[at]}, seed ${SEED}`)
      }
    }
    expect(fired).toBeGreaterThan(NEURONS / 20)
  })

  it('numbers give the reference bit for bit', () => {
    const step = (v: number) => (v >= neuron.threshold ? 1 : 0)
    let u = 0
    for (let t = 0; t < 1000; t++) {
      const input = Math.sin(t * t)
      const got = advance(numberArithmetic, neuron, { membranePotential: u, input }, step)
      const want = referenceStep(neuron, u, input)
      expect(got.spike).toBe(want.spike)
      expect(got.charged).toBe(want.charged)
      expect(got.membranePotential + 0).toBe(want.membranePotential)
      u = got.membranePotential
    }
  })
})

describe('by hand', () => {
  it('a leaky neuron', () => {
    const neuron = createNeuron({ kind: 'lif', beta: 0.5, threshold: 1, reset: 'subtract' })
    const input = Float64Array.of(0.75, 0.75, 0.25, -1)
    const trace = forwardThroughTime(createNeuronKernel(neuron), hardSpike(1), input, 4)
    expect([...trace.charged]).toEqual([0.75, 1.125, 0.3125, -0.84375])
    expect([...trace.spikes]).toEqual([0, 1, 0, 0])
  })
  it('a quadratic neuron', () => {
    const neuron = createNeuron({ kind: 'qif', a: 0.25, u1: 0, u2: 0.5, threshold: 1, reset: 'zero' })
    const input = Float64Array.of(0.5, 1, 0.75, 0.5)
    const trace = forwardThroughTime(createNeuronKernel(neuron), hardSpike(1), input, 4)
    // 0.25 * 0.75 * 0.25 = 0.046875
    expect([...trace.charged]).toEqual([0.5, 1, 0.75, 0.546875])
    expect([...trace.spikes]).toEqual([0, 1, 0, 0])
  })
  it('fires exactly at the threshold, single precision included', () => {
    const neuron = createNeuron({ kind: 'lif', beta: 0, threshold: 0.1, reset: 'none' })
    const kernel = createNeuronKernel(neuron)
    for (const x of [Float32Array.of(0.1), Float64Array.of(0.1)])
      expect(forwardThroughTime(kernel, hardSpike(0.1), x, 1).spikes[0]).toBe(1)
  })
})

describe('createNeuronKernel', () => {
  const kernel = createNeuronKernel(neurons[0]![1])
  it('refuses arrays that differ', () => {
    const state = { membranePotential: new Float32Array(2), input: new Float64Array(2) }
    const out = { spike: new Float32Array(2), membranePotential: new Float32Array(2) }
    expect(() => kernel.forward(state, hardSpike(1), out)).toThrow(/expected input like membranePotential/)
    const longer = { ...state, input: new Float32Array(3) }
    expect(() => kernel.forward(longer, hardSpike(1), out)).toThrow(/got 3 in float32/)
  })
  it('crosses tile borders and works in place', () => {
    const n = 2500
    const u = Float64Array.from({ length: n }, (_, i) => Math.cos(i))
    const input = Float64Array.from({ length: n }, (_, i) => Math.sin(i))
    const spike = new Float64Array(n)
    const want = u.map((v, i) => referenceStep(kernel.neuron, v, input[i]!).membranePotential)
    kernel.forward({ membranePotential: u, input }, hardSpike(kernel.neuron.threshold), { spike, membranePotential: u })
    expect(u).toEqual(want)
  })
})
