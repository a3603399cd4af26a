import { type CalibratedMultiOutputLayer, createTensor, Model, type Tensor } from '@he-ml/model'
import { expect, it } from 'vitest'
import { fit } from './fit.ts'

/** u <- u / 2 + x, halved by what is 1 or more; what is fitted is u before that. */
const charged = ([x, rest]: readonly Tensor[]): Tensor =>
  createTensor(
    x!.shape,
    x!.data.map((v, i) => v + (rest?.data[i] ?? 0) / 2),
  )
const neuron: CalibratedMultiOutputLayer = {
  kind: 'toy',
  name: 'neuron',
  arity: 2,
  optionalInputs: 1,
  outputs: ['spike', 'rest'],
  outputShapes: ([shape]) => [shape!, shape!],
  calibrated: false,
  fittedForm: undefined,
  digestParts: () => [],
  observed: charged,
  calibrate: () => neuron,
  withFittedForm: () => neuron,
  forwardAll: (inputs) => {
    const { shape, data } = charged(inputs)
    const spike = data.map((v) => (v >= 1 ? 1 : 0))
    return [
      createTensor(shape, spike),
      createTensor(
        shape,
        data.map((v, i) => v - spike[i]!),
      ),
    ]
  },
  forwardAllApproximate: (inputs) => neuron.forwardAll(inputs),
}

it('sees what a layer with a state asks for, at every time step, and the size of every value', async () => {
  const model = new Model({
    name: 'm',
    input: { name: 'x', shape: [1] },
    nodes: [{ name: 'first', layer: neuron, inputs: ['x'] }],
    states: [{ value: 'first/rest', node: 'first', input: 1 }],
    steps: 3,
    readout: 'sum',
  })
  // 0.75; 0.375 + 0.75 fires and leaves 0.125; 0.0625 + 0.75
  const { statistics, values, outputMagnitude } = await fit(model, [createTensor([1], Float64Array.of(0.75))])
  expect(statistics.first).toMatchObject({ count: 3, min: 0.75, max: 1.125 })
  expect(Object.keys(values!)).toEqual(['x', 'first/spike', 'first/rest'])
  expect(values!['first/rest']!.largest).toBe(0.8125)
  expect(outputMagnitude).toBe(1)
})
