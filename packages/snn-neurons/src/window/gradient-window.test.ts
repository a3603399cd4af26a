import { InvalidArgumentError } from '@he-ml/ckks-core'
import { createSurrogateGradient, hardSpike } from '@he-ml/float-kernels'
import { createNeuron, type Neuron } from '@he-ml/model/spiking'
import { describe, expect, it } from 'vitest'
import { normalAt } from '../coding/counter-random.ts'
import { createNeuronKernel } from '../neuron/neuron-kernel.ts'
import { forwardThroughTime } from '../training/through-time.ts'
import { asymptoticHalfWidth, gradientWindow, windowMismatch } from './gradient-window.ts'
import { membraneDensity } from './membrane-density.ts'

const SEED = 2026
const TIME_STEPS = 4
const NEURONS = 50_000
const cases: [string, Neuron][] = (['subtract', 'zero'] as const).flatMap((reset): [string, Neuron][] => [
  [`lif, ${reset}`, createNeuron({ kind: 'lif', beta: 0.5, threshold: 1, reset })],
  [`qif, ${reset}`, createNeuron({ kind: 'qif', a: 0.25, u1: 0, u2: 0.5, threshold: 0.5, reset })],
])
// far from normal: the quadratic is steep and throws low membranes high
cases.push(['steep qif, zero', createNeuron({ kind: 'qif', a: 1, u1: -0.5, u2: 0.5, threshold: 1, reset: 'zero' })])

/** Charged membrane potentials of real neurons, all steps together. */
function simulate(neuron: Neuron): Float64Array {
  const input = Float64Array.from({ length: TIME_STEPS * NEURONS }, (_, i) => neuron.threshold * normalAt(SEED, i))
  const trace = forwardThroughTime(createNeuronKernel(neuron), hardSpike(neuron.threshold), input, TIME_STEPS)
  return trace.charged as Float64Array
}

describe.each(cases)('%s', (_, neuron) => {
  const { threshold } = neuron
  const charged = simulate(neuron)
  const density = membraneDensity(neuron, { timeSteps: TIME_STEPS })
  const samples = 256

  it('the propagated density is that of simulated neurons', () => {
    const n = charged.length
    const mean = charged.reduce((sum, v) => sum + v, 0) / n
    const deviation = Math.sqrt(charged.reduce((sum, v) => sum + (v - mean) ** 2, 0) / n)
    const fired = charged.filter((v) => v >= threshold).length / n
    const near = 0.04 * threshold
    const at = charged.filter((v) => Math.abs(v - threshold) < near).length / (n * 2 * near)
    expect(Math.abs(density.mean - mean) / density.deviation).toBeLessThan(0.01)
    expect(Math.abs(density.deviation / deviation - 1)).toBeLessThan(0.015)
    expect(Math.abs(density.firingProbability - fired)).toBeLessThan(0.005)
    expect(Math.abs(density.atThreshold / at - 1)).toBeLessThan(0.04)
    expect(density.escaped).toBeLessThan(1e-6)
    expect(density.density.reduce((sum, p) => sum + p * density.cell, 0)).toBeCloseTo(1, 6)
  })

  it('the mismatch is what batches of simulated neuron-steps have', () => {
    const { surrogate } = gradientWindow(neuron, { timeSteps: TIME_STEPS, samples })
    const truth = [density.atThreshold, (density.atThreshold * (threshold - density.mean)) / density.deviation]
    for (const width of [0.5 * threshold, threshold, 2 * threshold, surrogate.width]) {
      const height = width === surrogate.width ? surrogate.height! : 1 / (2 * width)
      const g = createSurrogateGradient({ kind: 'rectangle', width, height })
      let error = 0
      const batches = Math.floor(charged.length / samples)
      for (let b = 0; b < batches; b++) {
        const sums = [0, 0]
        for (let i = 0; i < samples; i++) {
          // a stride through neurons and steps: the members of a batch are independent
          const v = charged[((b * samples + i) * 7919) % charged.length]!
          sums[0]! += g(v - threshold) / samples
          sums[1]! += (g(v - threshold) * (v - density.mean)) / density.deviation / samples
        }
        error += ((sums[0]! - truth[0]!) ** 2 + (sums[1]! - truth[1]!) ** 2) / batches
      }
      const measured = Math.sqrt(error / (truth[0]! ** 2 + truth[1]! ** 2))
      const { mismatch } = windowMismatch(density, threshold, { width, height, samples })
      expect(Math.abs(measured / mismatch - 1), `width ${width}`).toBeLessThan(0.06)
    }
  })

  it('the window beats every rectangle near it and the hand-set ones', () => {
    const window = gradientWindow(neuron, { timeSteps: TIME_STEPS, samples })
    const { width, height } = window.surrogate
    const at = (w: number, h?: number) =>
      windowMismatch(density, threshold, { width: w, ...(h === undefined ? {} : { height: h }), samples }).mismatch
    expect(at(width, height)).toBeCloseTo(window.mismatch, 12)
    for (const factor of [0.9, 0.98, 1.02, 1.1]) {
      expect(at(width * factor)).toBeGreaterThan(window.mismatch)
      expect(at(width, height! * factor)).toBeGreaterThan(window.mismatch)
    }
    for (const hand of [0.25, 0.5, 1, 2])
      expect(at(hand * threshold, 0.5 / (hand * threshold))).toBeGreaterThan(window.mismatch)
  })
})

describe('membraneDensity', () => {
  it('is normal with the known variance for a leaky neuron without reset', () => {
    const neuron = createNeuron({ kind: 'lif', beta: 0.5, threshold: 2, reset: 'none' })
    const one = membraneDensity(neuron, { timeSteps: 1, alpha: 0.5, inputMean: 0.25 })
    expect(one.mean).toBeCloseTo(0.25, 9)
    expect(one.deviation).toBeCloseTo(1, 9)
    expect(one.atThreshold).toBeCloseTo(Math.exp(-0.5 * 1.75 ** 2) / Math.sqrt(2 * Math.PI), 3)
    // variances 1, 1.25, 1.3125; means 0.25, 0.375, 0.4375
    const three = membraneDensity(neuron, { timeSteps: 3, alpha: 0.5, inputMean: 0.25 })
    const means = [0.25, 0.375, 0.4375]
    const mean = (0.25 + 0.375 + 0.4375) / 3
    const variance = [1, 1.25, 1.3125].reduce((sum, v, i) => sum + (v + (means[i]! - mean) ** 2) / 3, 0)
    expect(three.mean).toBeCloseTo(mean, 7)
    expect(three.deviation).toBeCloseTo(Math.sqrt(variance), 4)
  })
  it('says how much of a quadratic neuron without reset runs away', () => {
    const neuron = createNeuron({ kind: 'qif', a: 1, u1: 0, u2: 0.5, threshold: 1, reset: 'none' })
    const { escaped } = membraneDensity(neuron, { timeSteps: 8 })
    let away = 0
    const runs = 20_000
    for (let i = 0; i < runs; i++) {
      let u = 0
      for (let t = 0; t < 8; t++) {
        u = u * (u - 0.5) + normalAt(SEED, 8 * i + t)
        // mean over the steps, as the density's
        if (Math.abs(u) > 61) away += 1 / 8
      }
    }
    expect(escaped).toBeGreaterThan(0.01)
    expect(Math.abs(escaped - away / runs)).toBeLessThan(0.02)
  })
})

describe('gradientWindow', () => {
  const lif = createNeuron({ kind: 'lif', beta: 0.5, threshold: 1, reset: 'subtract' })
  it('scales with the threshold', () => {
    const twice = createNeuron({ kind: 'lif', beta: 0.5, threshold: 2, reset: 'subtract' })
    const [a, b] = [lif, twice].map((n) => gradientWindow(n, { timeSteps: 4 }).surrogate)
    expect(b!.width / a!.width).toBeCloseTo(2, 6)
    expect(b!.height! / a!.height!).toBeCloseTo(0.5, 6)
  })
  it('narrows with the fifth root of the samples, to the closed form', () => {
    const neuron = createNeuron({ kind: 'lif', beta: 0, threshold: 1, reset: 'none' })
    const ratios = [256, 1e5].map((samples) => {
      const { surrogate, membrane } = gradientWindow(neuron, { timeSteps: 1, samples })
      return surrogate.width / asymptoticHalfWidth(membrane, 1, samples)
    })
    expect(Math.abs(ratios[1]! - 1)).toBeLessThan(0.02)
    expect(Math.abs(ratios[1]! - 1)).toBeLessThan(Math.abs(ratios[0]! - 1))
  })
  it('has no mismatch for windows that are none', () => {
    const density = membraneDensity(lif, { timeSteps: 1 })
    for (const window of [
      { width: 0, samples: 10 },
      { width: 1, samples: 0 },
    ])
      expect(() => windowMismatch(density, 1, window)).toThrow(InvalidArgumentError)
  })
  it('defaults to a batch of 64 over the time steps', () => {
    expect(gradientWindow(lif, { timeSteps: 2 }).surrogate).toEqual(
      gradientWindow(lif, { timeSteps: 2, samples: 128 }).surrogate,
    )
  })
  it.each([
    { timeSteps: 0 },
    { timeSteps: 4, alpha: 0 },
    { timeSteps: 4, inputMean: Number.NaN },
    { timeSteps: 4, samples: 0 },
  ])('refuses %o', (options) => {
    expect(() => gradientWindow(lif, options)).toThrow(InvalidArgumentError)
  })
})
