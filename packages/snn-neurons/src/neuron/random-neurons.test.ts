import { hardSpike } from '@he-ml/float-kernels'
import { createNeuron } from '@he-ml/model/spiking'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { referenceStep } from '../testing.test-helper.ts'
import { backwardThroughTime, forwardThroughTime } from '../training/through-time.ts'
import { membraneRange } from './membrane-range.ts'
import { createNeuronKernel } from './neuron-kernel.ts'
import { logisticSpike } from './spike-function.ts'

const real = (min: number, max: number) => fc.double({ min, max, noNaN: true })
const reset = fc.constantFrom('subtract', 'zero', 'none')
const threshold = real(0.25, 2)
const lif = fc.record({ kind: fc.constant('lif'), beta: real(0, 1), threshold, reset })
const qif = fc
  .record({ kind: fc.constant('qif'), a: real(0.05, 0.6), u1: real(-0.5, 0.5), gap: real(0, 1), threshold, reset })
  .map(({ gap, ...rest }) => ({ ...rest, u2: rest.u1 + gap }))
const anyNeuron = fc.oneof(lif, qif).map(createNeuron)
const TIME_STEPS = 5
const NEURONS = 20
const inputs = fc.array(real(-1.5, 1.5), { minLength: TIME_STEPS * NEURONS, maxLength: TIME_STEPS * NEURONS })

describe('random neurons', () => {
  it('equal the reference and stay in their range: 200 neurons, 20,000 neuron-steps', () => {
    fc.assert(
      fc.property(anyNeuron, inputs, (neuron, values) => {
        const trace = forwardThroughTime(
          createNeuronKernel(neuron),
          hardSpike(neuron.threshold),
          Float64Array.from(values),
          TIME_STEPS,
        )
        const range = membraneRange(neuron, { input: [-1.5, 1.5], timeSteps: TIME_STEPS })
        const slack = 1e-9 * (1 + range.charged[1])
        for (let i = 0; i < NEURONS; i++) {
          let u = 0
          for (let t = 0; t < TIME_STEPS; t++) {
            const at = t * NEURONS + i
            const want = referenceStep(neuron, u, values[at]!)
            u = want.membranePotential
            expect([trace.charged[at], trace.spikes[at]]).toEqual([want.charged, want.spike])
            expect(trace.membranePotentials[at]! + 0).toBe(u + 0)
            expect(want.charged).toBeGreaterThanOrEqual(range.charged[0] - slack)
            expect(want.charged).toBeLessThanOrEqual(range.charged[1] + slack)
          }
        }
      }),
      { numRuns: 200 },
    )
  })

  it('have the gradients of central differences through time', () => {
    fc.assert(
      fc.property(anyNeuron, inputs, fc.nat(TIME_STEPS * NEURONS - 1), (neuron, values, at) => {
        const kernel = createNeuronKernel(neuron)
        const spike = logisticSpike(neuron.threshold, 0.3)
        const input = Float64Array.from(values)
        const weights = input.map((_, i) => Math.cos(3 * i))
        const trace = forwardThroughTime(kernel, spike, input, TIME_STEPS)
        const got = backwardThroughTime(kernel, spike, trace, { spikes: weights, membranePotentials: weights })[at]!
        // one neuron's own terms only: the others' would drown the difference in rounding
        const loss = (x: number) => {
          const run = forwardThroughTime(kernel, spike, input.with(at, x), TIME_STEPS)
          let sum = 0
          for (let i = at % NEURONS; i < input.length; i += NEURONS)
            sum += weights[i]! * (run.spikes[i]! + run.membranePotentials[i]!)
          return sum
        }
        const slope = (h: number) => (loss(input[at]! + h) - loss(input[at]! - h)) / (2 * h)
        const want = (4 * slope(5e-4) - slope(1e-3)) / 3
        expect(Math.abs(got - want) / Math.max(1e-2, Math.abs(want))).toBeLessThan(1e-5)
      }),
      { numRuns: 300 },
    )
  })
})
