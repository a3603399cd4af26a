import { InvalidArgumentError } from '@he-ml/ckks-core'
import { describe, expect, it } from 'vitest'
import type { Parameter } from '../layers/layer.ts'
import { createOptimizer, type OptimizerDescription } from './create-optimizer.ts'
import { cosineRate } from './schedule.ts'

const parameter = (decays = true): Parameter => ({
  name: 'w.weight',
  shape: [1],
  value: Float64Array.of(1),
  gradient: Float64Array.of(0.5),
  decays,
})
const after = (description: OptimizerDescription, steps: number, decays = true) => {
  const p = parameter(decays)
  const optimizer = createOptimizer(description, [p])
  for (let i = 0; i < steps; i++) optimizer.step(0.1)
  return p.value[0]!
}

describe('optimisers by hand', () => {
  it('SGD, momentum, decay', () => {
    expect(after({ kind: 'sgd' }, 2)).toBeCloseTo(0.9, 14)
    // v: 0.5, 0.95
    expect(after({ kind: 'sgd', momentum: 0.9 }, 2)).toBeCloseTo(1 - 0.05 - 0.095, 14)
    expect(after({ kind: 'sgd', momentum: 0.9, nesterov: true }, 1)).toBeCloseTo(1 - 0.1 * (0.5 + 0.45), 14)
    expect(after({ kind: 'sgd', weightDecay: 0.2 }, 1)).toBeCloseTo(1 - 0.1 * 0.7, 14)
    expect(after({ kind: 'sgd', weightDecay: 0.2 }, 1, false)).toBeCloseTo(0.95, 14)
  })
  it('Adam takes steps of the rate for a steady gradient', () => {
    expect(after({ kind: 'adam' }, 3)).toBeCloseTo(0.7, 6)
    expect(after({ kind: 'adam', weightDecay: 10 }, 1)).toBeCloseTo(0.9, 6)
    expect(after({ kind: 'adamW', weightDecay: 0.1 }, 1)).toBeCloseTo(0.99 - 0.1, 6)
  })
  it('refuse what they cannot do', () => {
    expect(() => createOptimizer({ kind: 'sgd', momentum: 1 }, [])).toThrow(InvalidArgumentError)
    expect(() => createOptimizer({ kind: 'adam', epsilon: 0 }, [])).toThrow(/epsilon/)
  })
})

describe('cosine schedule', () => {
  const schedule = { learningRate: 1, warmupSteps: 4, lowest: 0.1 }
  it('warms up, peaks, ends at the lowest rate', () => {
    expect([0, 1, 3].map((step) => cosineRate(schedule, step, 15))).toEqual([0.25, 0.5, 1])
    expect(cosineRate(schedule, 4, 15)).toBe(1)
    expect(cosineRate(schedule, 9, 15)).toBeCloseTo(0.55, 14)
    expect(cosineRate(schedule, 14, 15)).toBeCloseTo(0.1, 14)
    expect(cosineRate({ learningRate: 1 }, 0, 1)).toBe(1)
  })
  it('refuses rates and warm-ups that do not fit', () => {
    expect(() => cosineRate({ learningRate: 0 }, 0, 10)).toThrow(InvalidArgumentError)
    expect(() => cosineRate({ learningRate: 1, lowest: 2 }, 0, 10)).toThrow(/lowest/)
    expect(() => cosineRate({ learningRate: 1, warmupSteps: 10 }, 0, 10)).toThrow(/warmupSteps/)
  })
})
