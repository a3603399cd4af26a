import { tensorShapes } from '@he-ml/model/spiking'
import { expect, it } from 'vitest'
import { createNetwork } from './network.ts'

it('a network has exactly the tensors that its description says', () => {
  const { description, state } = createNetwork({
    name: 'n',
    inputShape: [2, 6, 6],
    timeSteps: 1,
    layers: [
      { kind: 'conv2d', name: 'c', outChannels: 4, kernel: [3, 2], groups: 2, bias: false },
      { kind: 'tdBatchNorm', name: 'n', threshold: 1 },
      {
        kind: 'residual',
        name: 'r',
        main: [{ kind: 'affine', name: 'a' }],
        shortcut: [{ kind: 'conv2d', name: 'd', outChannels: 4, kernel: [1, 1] }],
      },
      { kind: 'flatten', name: 'flat' },
      { kind: 'linear', name: 'fc', outFeatures: 2 },
    ],
  })
  const sorted = (all: readonly { readonly name: string; readonly shape: readonly number[] }[]) =>
    all.map(({ name, shape }) => `${name} ${shape}`).sort()
  expect(sorted(tensorShapes(description.layers, description.inputShape))).toEqual(sorted(state))
})
