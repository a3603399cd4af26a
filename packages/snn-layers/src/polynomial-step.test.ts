import { createClearEngine, InvalidArgumentError, insecureParameters, Pacer, PlanError, Scope } from '@he-ml/ckks-core'
import type { InputStatistics } from '@he-ml/model'
import { describe, expect, it } from 'vitest'
import { type PolynomialStepOptions, polynomialSpikeStep } from './polynomial-step.ts'
import type { FittedStep, SoftStep } from './spike-step.ts'

const statistics: InputStatistics = { count: 9, min: -2, max: 3, mean: 0, std: 1, histogram: new Float64Array(8) }
const cellOf = (threshold: number) => ({
  neuron: { kind: 'lif', beta: 0.5, threshold, reset: 'subtract' } as const,
})
const soft = (step: FittedStep) => step as SoftStep
const options = { margin: 1.2, degree: 15 }
const parameters = insecureParameters({ logN: 10, levels: 9, scaleBits: 40, dnum: 10 })

describe.each<[string, PolynomialStepOptions, number]>([
  ['a composition of signs', { degrees: [7, 13] }, 7],
  ['one polynomial', { gap: 0.5 }, 4],
  ['a logistic step', { width: 0.5 }, 4],
])('%s', (_, chosen, depth) => {
  const threshold = 0.8
  const step = soft(polynomialSpikeStep(chosen).fit(cellOf(threshold), statistics, options))
  const membranes = Float64Array.from({ length: 65 }, (_, i) => threshold + step.reach * (i / 32 - 1))

  it('is a soft spike on the range that was seen, with its margin', () => {
    expect(step.reach).toBeCloseTo(1.2 * 2.8, 12)
    for (const u of [-2, -1, 3]) expect(Math.abs(step.forward(u) - (u > threshold ? 1 : 0))).toBeLessThan(0.1)
    expect(step.forward(threshold)).toBeCloseTo(0.5, 6)
    expect(step.widened(1.1)!.reach).toBeCloseTo(1.1 * step.reach, 12)
  })
  it('is what its circuit computes, times any factor, at its depth', async () => {
    await using engine = createClearEngine(parameters)
    for (const factor of [1, 0.05, 3]) {
      const circuit = step.circuit(factor)
      expect(circuit.depth).toBe(depth)
      const context = { engine, level: 8, deferred: false, pacer: new Pacer('step'), weights: new Scope() }
      const apply = await circuit.prepare(context)
      using unit = engine.encryptClear(
        membranes.slice(0, 64).map((u) => (u - threshold) / step.reach),
        { level: 8 },
      )
      using spikes = apply(engine, unit)
      expect([spikes.level, spikes.scale]).toEqual([8 - depth, parameters.scaleAt(8 - depth)])
      const { re } = engine.readClear(spikes)
      for (let i = 0; i < 64; i++) expect(re[i]!).toBeCloseTo(factor * step.forward(membranes[i]!), 7)
    }
  })
})

it('refuses options and statistics that make no step', () => {
  expect(() => polynomialSpikeStep({ gap: 0 })).toThrow(InvalidArgumentError)
  expect(() => polynomialSpikeStep({ width: -1 })).toThrow(InvalidArgumentError)
  expect(() => polynomialSpikeStep({ width: 1, degrees: [7] })).toThrow(/no degrees/)
  const step = polynomialSpikeStep()
  expect(() => step.fit(cellOf(1), { ...statistics, count: 0 }, options)).toThrow(PlanError)
  expect(() => step.fit(cellOf(1), { ...statistics, max: Number.NaN }, options)).toThrow(/no usable statistics/)
  expect(() => step.fit(cellOf(1), statistics, { ...options, margin: 0.9 })).toThrow(
    /margin must be at least 1, got 0.9/,
  )
  expect(() => step.fit(cellOf(1), statistics, { ...options, degree: 3, error: 0.01 })).toThrow(PlanError)
})

it('finds a range for membranes that never move', () => {
  const still = soft(polynomialSpikeStep().fit(cellOf(1), { ...statistics, min: 1, max: 1 }, options))
  expect(still.reach).toBeCloseTo(0.24, 12)
})
