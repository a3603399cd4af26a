import { InvalidArgumentError } from '@he-ml/ckks-core'
import { describe, expect, it } from 'vitest'
import { derivative, randomSignal, relativeError } from '../testing.test-helper.ts'
import { createLoss, type LossDescription } from './loss.ts'

const descriptions: LossDescription[] = [
  { kind: 'crossEntropy' },
  { kind: 'crossEntropy', smoothing: 0.1 },
  { kind: 'tet', lambda: 0, target: 1 },
  { kind: 'tet', lambda: 0.3, target: 1 },
]

describe('losses', () => {
  it.each(descriptions)('%j: gradient against central finite differences', async (description) => {
    const loss = createLoss(description)
    const output = randomSignal(3, 4, [5], 1)
    const labels = [0, 4, 2, 2]
    const { gradient } = loss(output, labels)
    const largest = Math.max(...gradient.data.map(Math.abs))
    for (let i = 0; i < output.data.length; i++) {
      const at = async (x: number) => loss({ ...output, data: (output.data as Float64Array).with(i, x) }, labels).loss
      expect(relativeError(gradient.data[i]!, await derivative(at, output.data[i]!), largest)).toBeLessThan(1e-5)
    }
  })
  it('of equal scores is the logarithm of the number of classes', () => {
    const output = { data: new Float64Array(20), steps: 2, batch: 2, shape: [5] }
    expect(createLoss({ kind: 'crossEntropy' })(output, [1, 2]).loss).toBeCloseTo(Math.log(5), 14)
    // half of it, and half of the square distance of 0 from 2
    expect(createLoss({ kind: 'tet', lambda: 0.5, target: 2 })(output, [1, 2]).loss).toBeCloseTo(
      Math.log(5) / 2 + 2,
      14,
    )
  })
  it('survive scores that overflow an exponential', () => {
    const output = { data: Float32Array.of(1000, -1000), steps: 1, batch: 1, shape: [2] }
    const { loss, gradient } = createLoss({ kind: 'crossEntropy' })(output, [1])
    expect(loss).toBe(2000)
    expect([...gradient.data]).toEqual([1, -1])
  })
  it('refuse labels and descriptions that are none', () => {
    const output = { data: new Float32Array(2), steps: 1, batch: 1, shape: [2] }
    expect(() => createLoss({ kind: 'crossEntropy' })(output, [2])).toThrow(/labels in \[0, 2\), got 2/)
    expect(() => createLoss({ kind: 'tet', lambda: 2, target: 0 })).toThrow(InvalidArgumentError)
  })
})
