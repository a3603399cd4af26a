import { InvalidArgumentError } from '@he-ml/ckks-core'
import { describe, expect, it } from 'vitest'
import { createNeuron } from './neuron.ts'

describe('createNeuron', () => {
  it('keeps JSON as it is and freezes it', () => {
    for (const neuron of [
      { kind: 'lif', beta: 0.6, threshold: 0.8, reset: 'subtract' },
      { kind: 'qif', a: 0.25, u1: -0.125, u2: 0.5, threshold: 0.75, reset: 'zero' },
      { kind: 'qif', a: 0.3, u1: 0.2, u2: 0.2, threshold: 1, reset: 'none' },
    ]) {
      const copy = createNeuron(JSON.parse(JSON.stringify(neuron)))
      expect(copy).toEqual(neuron)
      expect(Object.isFrozen(copy)).toBe(true)
    }
  })
  it.each([
    [{ kind: 'lif', beta: 1.5, threshold: 1, reset: 'zero' }, /"beta"/],
    [{ kind: 'lif', beta: 0.5, threshold: 0, reset: 'zero' }, /"threshold"/],
    [{ kind: 'lif', beta: 0.5, threshold: 1, reset: 'half' }, /"reset"/],
    [{ kind: 'lif', beta: 0.5, threshold: 1, reset: 'zero', a: 1 }, /a/],
    [{ kind: 'qif', a: 0, u1: 0, u2: 1, threshold: 1, reset: 'zero' }, /"a"/],
    [{ kind: 'qif', a: 1, u1: 2, u2: 1, threshold: 1, reset: 'zero' }, /u1 <= u2/],
    [{ kind: 'qif', a: 1, u1: 0, u2: Infinity, threshold: 1, reset: 'zero' }, /"u2"/],
    [{ kind: 'hodgkin-huxley' }, /"kind"/],
    [null, /neuron/],
  ])('refuses %j', (description, message) => {
    expect(() => createNeuron(description)).toThrow(InvalidArgumentError)
    expect(() => createNeuron(description)).toThrow(message)
  })
})
