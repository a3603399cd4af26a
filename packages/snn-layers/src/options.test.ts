import { InvalidArgumentError } from '@he-ml/ckks-core'
import { describe, expect, it } from 'vitest'
import { buildSpikingModel, functionalSpikeStep, polynomialSpikeStep, spiking } from './index.ts'

const neuron = { kind: 'lif', beta: 0.5, threshold: 1, reset: 'subtract' } as const

describe('options of spiking layers', () => {
  it.each<[string, RegExp, () => unknown]>([
    ['spiking', /no option nueron: did you mean neuron\?/, () => spiking({ name: 'n', neuron, nueron: 1 } as never)],
    [
      'spiking',
      /step must be a step, as .* makes one, got "exact"/,
      () => spiking({ name: 'n', neuron, step: 'exact' } as never),
    ],
    ['spiking', /options must be an object, got null/, () => spiking(null as never)],
    ['functionalSpikeStep', /no option point: did you mean points\?/, () => functionalSpikeStep({ point: 8 } as never)],
    [
      'polynomialSpikeStep',
      /no option degree: did you mean degrees\?/,
      () => polynomialSpikeStep({ degree: 7 } as never),
    ],
    ['polynomialSpikeStep', /degrees must be a list of degrees/, () => polynomialSpikeStep({ degrees: 7 } as never)],
    [
      'importSpikingModel',
      /no option steps: did you mean step\?/,
      () => buildSpikingModel({} as never, { steps: 1 } as never),
    ],
    [
      'importSpikingModel',
      /step must be a step, or a function/,
      () => buildSpikingModel({} as never, { step: 'x' } as never),
    ],
  ])('of %s are refused: %s', (_, says, call) => {
    expect(call).toThrow(InvalidArgumentError)
    expect(call).toThrow(says)
  })
})
