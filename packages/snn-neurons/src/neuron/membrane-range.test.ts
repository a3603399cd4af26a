import { InvalidArgumentError } from '@he-ml/ckks-core'
import { createNeuron, type QifNeuron } from '@he-ml/model/spiking'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { neurons, referenceStep } from '../testing.test-helper.ts'
import { largestSafeInput, membraneRange, qifFixedPoints } from './membrane-range.ts'

const qif = (reset: string, a = 0.25, u1 = 0, u2 = 0.5) =>
  createNeuron({ kind: 'qif', a, u1, u2, threshold: 1, reset }) as QifNeuron

describe('membraneRange', () => {
  it.each(neurons)('holds every trajectory of %s', (_, neuron) => {
    const bound = 0.5 * Math.min(largestSafeInput(neuron), 4)
    const range = membraneRange(neuron, { input: [-bound, bound] })
    expect(range.diverges).toBe(false)
    fc.assert(
      fc.property(fc.array(fc.double({ min: -bound, max: bound, noNaN: true }), { maxLength: 60 }), (inputs) => {
        let u = 0
        for (const x of inputs) {
          const { charged, membranePotential } = referenceStep(neuron, u, x)
          expect(charged).toBeGreaterThanOrEqual(range.charged[0] - 1e-9)
          expect(charged).toBeLessThanOrEqual(range.charged[1] + 1e-9)
          u = membranePotential
          expect(u).toBeGreaterThanOrEqual(range.membranePotential[0] - 1e-9)
          expect(u).toBeLessThanOrEqual(range.membranePotential[1] + 1e-9)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('is the geometric series for a leaky neuron without reset, and reached', () => {
    const neuron = createNeuron({ kind: 'lif', beta: 0.5, threshold: 1, reset: 'none' })
    expect(membraneRange(neuron, { input: [-1, 3], timeSteps: 3 }).charged).toEqual([-1.75, 5.25])
    const [low, high] = membraneRange(neuron, { input: [-1, 3] }).charged
    expect(low).toBeCloseTo(-2, 9)
    expect(high).toBeCloseTo(6, 9)
  })

  it('bounds leaks too slow to settle', () => {
    const slow = createNeuron({ kind: 'lif', beta: 1 - 1e-6, threshold: 1, reset: 'none' })
    const { charged, diverges } = membraneRange(slow, { input: [-1, 2] })
    expect(diverges).toBe(false)
    expect(charged[0] / -1e6).toBeCloseTo(1, 6)
    expect(charged[1] / 2e6).toBeCloseTo(1, 6)
  })

  it('keeps a membrane that fires below the threshold with reset to zero', () => {
    const neuron = createNeuron({ kind: 'lif', beta: 0.5, threshold: 1, reset: 'zero' })
    const { charged, membranePotential } = membraneRange(neuron, { input: [-1, 3] })
    expect(membranePotential[1]).toBe(1)
    expect(charged[1]).toBeCloseTo(3.5, 9)
  })

  it('sees the vertex of a quadratic, and a neuron that always fires', () => {
    // one step from [0, 0.25]: the vertex 0.25 gives 0.25 * 0.25 * -0.25
    const range = membraneRange(qif('none'), { input: [0, 0.5], timeSteps: 2 })
    expect(range.charged).toEqual([-0.015625, 0.5])
    const eager = createNeuron({ kind: 'lif', beta: 0.5, threshold: 1, reset: 'subtract' })
    expect(membraneRange(eager, { input: [2, 2], timeSteps: 2 })).toEqual({
      charged: [2, 2.5],
      membranePotential: [0, 1.5],
      diverges: false,
    })
  })

  it('refuses ranges that are none', () => {
    expect(() => membraneRange(qif('zero'), { input: [1, -1] })).toThrow(InvalidArgumentError)
    expect(() => membraneRange(qif('zero'), { input: [0, Infinity] })).toThrow(/finite/)
    expect(() => membraneRange(qif('zero'), { input: [0, 1], timeSteps: 0 })).toThrow(/timeSteps/)
  })
})

describe('divergence', () => {
  it('begins where a constant input has no fixed point, or throws the membrane past the escape', () => {
    const neuron = qif('none')
    const limit = largestSafeInput(neuron)
    const points = qifFixedPoints(neuron, limit)!
    expect(points.rest).toBeLessThan(points.escape)
    const run = (inputs: (t: number) => number) => {
      let u = 0
      for (let t = 0; t < 20_000 && Math.abs(u) < 1e6; t++) u = referenceStep(neuron, u, inputs(t)).charged
      return u
    }
    // down as far as possible, then up for ever: the worst case of a convex map
    expect(Math.abs(run((t) => (t < 1 ? -limit : limit)))).toBeLessThan(1e3)
    expect(run(() => 1.001 * limit)).toBeGreaterThan(1e6)
    expect(membraneRange(neuron, { input: [-1.001 * limit, 1.001 * limit] }).diverges).toBe(true)
    // discriminant 0: x = (a (u1 + u2) + 1)^2 / (4 a) - a u1 u2 = 1.125^2
    expect(limit).toBeCloseTo(1.265625, 6)
    expect(qifFixedPoints(neuron, 1.2657)).toBeUndefined()
  })
  it('never happens with a reset to zero, nor to a leaky neuron', () => {
    expect(largestSafeInput(qif('zero', 3))).toBe(Infinity)
    expect(membraneRange(qif('zero', 3), { input: [-100, 100] }).diverges).toBe(false)
    expect(largestSafeInput(neurons[0]![1])).toBe(Infinity)
    const perfect = createNeuron({ kind: 'lif', beta: 1, threshold: 1, reset: 'subtract' })
    expect(largestSafeInput(perfect)).toBe(0)
    expect(membraneRange(perfect, { input: [-1, 1] }).diverges).toBe(true)
    expect(membraneRange(perfect, { input: [-1, 1], timeSteps: 4 }).charged).toEqual([-4, 2])
  })
  it('comes later with a reset by subtraction', () => {
    const limit = largestSafeInput(qif('subtract'))
    expect(limit).toBeGreaterThan(largestSafeInput(qif('none')))
    expect(limit).toBeLessThan(100)
  })
  it('of a neuron that runs away by itself is 0', () => {
    expect(largestSafeInput(qif('none', 4, -3, -3))).toBe(0)
  })
})
