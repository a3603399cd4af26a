import { InvalidArgumentError } from '@he-ml/ckks-core'
import { createSurrogateGradient, hardSpike } from '@he-ml/float-kernels'
import { describe, expect, it } from 'vitest'
import { type Dual, dualArithmetic } from '../arithmetic/dual-arithmetic.ts'
import { normalAt } from '../coding/counter-random.ts'
import { createNeuronKernel } from '../neuron/neuron-kernel.ts'
import { advance } from '../neuron/recurrence.ts'
import { logisticSpike } from '../neuron/spike-function.ts'
import { neurons } from '../testing.test-helper.ts'
import { backwardThroughTime, forwardThroughTime } from './through-time.ts'

const SEED = 7
const values = (seed: number, n: number) => Float64Array.from({ length: n }, (_, i) => normalAt(seed, i))
const relative = (got: number, want: number) => Math.abs(got - want) / Math.max(1e-3, Math.abs(want))
/** Central differences with steps h and h/2, extrapolated: error O(h^4). */
function centralDifference(f: (x: number) => number, x: number, h = 1e-3): number {
  const at = (s: number) => (f(x + s) - f(x - s)) / (2 * s)
  return (4 * at(h / 2) - at(h)) / 3
}

describe.each(neurons)('gradients of %s', (_, neuron) => {
  const spikeFunction = logisticSpike(neuron.threshold, 0.3)
  const kernel = createNeuronKernel(neuron)

  it('one step: dual numbers, kernel and central differences agree, 1,000 random states', () => {
    const n = 1000
    const u = values(SEED, n)
    const x = values(SEED + 1, n)
    const gs = values(SEED + 2, n)
    const gu = values(SEED + 3, n)
    const got = { membranePotential: new Float64Array(n), input: new Float64Array(n) }
    kernel.backward({ membranePotential: u, input: x }, spikeFunction, { spike: gs, membranePotential: gu }, got)
    const step = (v: number) => 1 / (1 + Math.exp(-(v - neuron.threshold) / 0.3))
    const dualStep = (v: Dual): Dual => {
      const s = step(v.value)
      return { value: s, slope: (v.slope * s * (1 - s)) / 0.3 }
    }
    for (let i = 0; i < n; i++) {
      const loss = (du: number, dx: number) => {
        const out = advance(
          dualArithmetic,
          neuron,
          { membranePotential: { value: u[i]!, slope: du }, input: { value: x[i]!, slope: dx } },
          dualStep,
        )
        return gs[i]! * out.spike.slope + gu[i]! * out.membranePotential.slope
      }
      expect(relative(got.membranePotential[i]!, loss(1, 0))).toBeLessThan(1e-10)
      expect(relative(got.input[i]!, loss(0, 1))).toBeLessThan(1e-10)
    }
    const single = (u0: number, x0: number, i: number) => {
      const spike = new Float64Array(1)
      const next = new Float64Array(1)
      const state = { membranePotential: Float64Array.of(u0), input: Float64Array.of(x0) }
      kernel.forward(state, spikeFunction, { spike, membranePotential: next })
      return gs[i]! * spike[0]! + gu[i]! * next[0]!
    }
    let worst = 0
    for (let i = 0; i < n; i++) {
      const du = centralDifference((v) => single(v, x[i]!, i), u[i]!)
      const dx = centralDifference((v) => single(u[i]!, v, i), x[i]!)
      worst = Math.max(worst, relative(got.membranePotential[i]!, du), relative(got.input[i]!, dx))
    }
    expect(worst).toBeLessThan(1e-5)
  })

  it('through time: backpropagation and central differences agree', () => {
    const timeSteps = 5
    const n = 40
    const input = values(SEED + 4, timeSteps * n).map((v) => 0.7 * v)
    const spikes = values(SEED + 5, timeSteps * n)
    const membranePotentials = values(SEED + 6, timeSteps * n)
    const trace = forwardThroughTime(kernel, spikeFunction, input, timeSteps)
    const got = backwardThroughTime(kernel, spikeFunction, trace, { spikes, membranePotentials })
    const loss = (x: Float64Array) => {
      const run = forwardThroughTime(kernel, spikeFunction, x, timeSteps)
      return x.reduce(
        (sum, _v, i) => sum + spikes[i]! * run.spikes[i]! + membranePotentials[i]! * run.membranePotentials[i]!,
        0,
      )
    }
    let worst = 0
    for (let i = 0; i < input.length; i++) {
      const want = centralDifference((v) => loss(input.with(i, v)), input[i]!)
      worst = Math.max(worst, relative(got[i]!, want))
    }
    expect(worst).toBeLessThan(1e-5)
  })

  it('float32 gradients are the float64 ones, rounded', () => {
    const input = Float32Array.from(values(SEED + 4, 200), (v) => 0.7 * v)
    const run = (x: Float32Array | Float64Array) =>
      backwardThroughTime(kernel, spikeFunction, forwardThroughTime(kernel, spikeFunction, x, 4), {
        spikes: x instanceof Float32Array ? new Float32Array(200).fill(1) : new Float64Array(200).fill(1),
      })
    const single = run(input)
    const double = run(Float64Array.from(input))
    for (let i = 0; i < 200; i++)
      expect(Math.abs(single[i]! - double[i]!)).toBeLessThan(1e-4 * (1 + Math.abs(double[i]!)))
  })
})

describe('options', () => {
  const neuron = neurons[0]![1] // lif, subtract
  const kernel = createNeuronKernel(neuron)
  it('detachReset lets no gradient through the spike of the reset', () => {
    const h = createSurrogateGradient({ kind: 'rectangle', width: 10 })
    const state = { membranePotential: Float64Array.of(1), input: Float64Array.of(1) }
    const gradients = { spike: Float64Array.of(0), membranePotential: Float64Array.of(1) }
    const slope = (detachReset: boolean) => {
      const result = { membranePotential: new Float64Array(1), input: new Float64Array(1) }
      kernel.backward(state, hardSpike(neuron.threshold, h), gradients, result, { detachReset })
      return result.input[0]
    }
    expect(slope(true)).toBe(1)
    expect(slope(false)).toBeCloseTo(1 - neuron.threshold / 20, 14)
  })
  it('a hard spike without a surrogate has no derivative', () => {
    const out = Float64Array.of(5)
    hardSpike(1).derivative(Float64Array.of(1), out)
    expect(out[0]).toBe(0)
  })
  it('refuses lengths that do not divide', () => {
    expect(() => forwardThroughTime(kernel, hardSpike(1), new Float64Array(5), 2)).toThrow(InvalidArgumentError)
    const trace = forwardThroughTime(kernel, hardSpike(1), new Float64Array(6), 2)
    expect(() => backwardThroughTime(kernel, hardSpike(1), trace, { spikes: new Float64Array(3) })).toThrow(
      /gradient of spikes/,
    )
    expect(() => logisticSpike(1, 0)).toThrow(InvalidArgumentError)
  })
})

describe('surrogate gradients', () => {
  it.each(['rectangle', 'fastSigmoid', 'arctangent'] as const)('%s has area 1, is even, and takes a height', (kind) => {
    const h = createSurrogateGradient({ kind, width: 0.4 })
    let area = 0
    // z = tan(angle) covers the whole line
    const steps = 200_000
    for (let i = 0; i < steps; i++) {
      const angle = ((i + 0.5) / steps - 0.5) * Math.PI
      area += (h(Math.tan(angle)) / Math.cos(angle) ** 2) * (Math.PI / steps)
    }
    expect(area).toBeCloseTo(1, 3)
    expect(h(0.3)).toBe(h(-0.3))
    expect(createSurrogateGradient({ kind, width: 0.4, height: 2 })(0)).toBe(2)
  })
  it('have the stated widths', () => {
    const at = (kind: 'fastSigmoid' | 'arctangent') => createSurrogateGradient({ kind, width: 0.4, height: 1 })(0.4)
    expect(at('fastSigmoid')).toBeCloseTo(1 / 4, 14)
    expect(at('arctangent')).toBeCloseTo(1 / 2, 14)
  })
  it.each([
    { kind: 'rectangle', width: 0 },
    { kind: 'arctangent', width: 1, height: -1 },
    { kind: 'spline', width: 1 },
  ])('refuses %j', (description) => {
    expect(() => createSurrogateGradient(description as never)).toThrow(InvalidArgumentError)
  })
})
