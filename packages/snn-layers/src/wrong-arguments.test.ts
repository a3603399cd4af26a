import { InvalidArgumentError } from '@he-ml/ckks-core'
import { Model, type ModelDescription } from '@he-ml/model'
import { add } from '@he-ml/nn-layers'
import { describe, expect, it } from 'vitest'
import { buildSpikingModel, importSpikingModel, spiking } from './index.ts'

const neuron = { kind: 'lif', beta: 0.5, threshold: 1, reset: 'subtract' } as const

/** Spikes of the step before, added to the current. */
const recurrent = (inputs: readonly string[], states: ModelDescription['states']) => () =>
  new Model({
    name: 'recurrent',
    input: { name: 'x', shape: [2] },
    nodes: [
      { layer: add({ name: 'sum' }), inputs },
      { layer: spiking({ name: 'n', neuron }), inputs: ['sum'] },
    ],
    steps: 3,
    states: [{ value: 'n/membrane', node: 'n', input: 1 }, ...(states ?? [])],
    readout: 'mean',
  })

describe('spikes fed back from the step before', () => {
  it.each([
    ['as a state of a sum', recurrent(['x'], [{ value: 'n/spike', node: 'sum', input: 1 }])],
    ['as an input of it', recurrent(['x', 'n/spike'], [])],
  ])('are refused, and it is said that there are no recurrent synapses: %s', (_, make) => {
    expect(make).toThrow(InvalidArgumentError)
    expect(make).toThrow(/recurrent synapses\)? cannot be written/)
  })
})

describe('an argument of the wrong kind', () => {
  it.each<[string, () => unknown, RegExp]>([
    [
      'a step',
      () => spiking({ name: 'n', neuron, step: {} as never }),
      /^spiking: the option step must be a step, as polynomialSpikeStep or functionalSpikeStep makes one, got \{\}/,
    ],
    [
      'a step that was not made',
      () => spiking({ name: 'n', neuron, step: (() => 1) as never }),
      /the option step must be a step/,
    ],
    [
      'a grid',
      () => spiking({ name: 'n', neuron, grid: {} as never }),
      /the option grid must be a grid of a positive step/,
    ],
    ['a grid of an odd count', () => spiking({ name: 'n', neuron, grid: { step: 1, count: 3 } }), /even count/],
    ['no name', () => spiking({ neuron } as never), /the option name must be a name, got undefined/],
    ['no neuron', () => spiking({ name: 'n' } as never), /neuron: field "\(root\)"/],
    ['nothing read', () => buildSpikingModel(undefined as never), /^buildSpikingModel: read must be a spiking network/],
    ['a promise', () => buildSpikingModel(Promise.resolve({}) as never), /got a promise: await it first/],
    ['no files', () => importSpikingModel(undefined as never), /spiking model: options must be an object/],
  ])('is a typed error: %s', (_, call, says) => {
    expect(call).toThrow(says)
  })
  it('is said to be one of arguments', () => {
    expect(() => spiking({ name: 'n', neuron, step: {} as never })).toThrow(InvalidArgumentError)
    expect(() => buildSpikingModel({} as never)).toThrow(InvalidArgumentError)
  })
})
