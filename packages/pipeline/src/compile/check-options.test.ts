import { InvalidArgumentError } from '@he-ml/ckks-core'
import { describe, expect, it } from 'vitest'
import { checkOptions } from './check-options.ts'

describe('options of compile', () => {
  it('are taken as they are documented', () => {
    for (const options of [
      {},
      { calibration: undefined, batch: undefined },
      { packing: 'batch', batch: 64, scaleBits: 34, baseBits: 50, logN: 14, memory: 4e9, keepWeights: false },
      {
        activation: { degree: 15, margin: 1.2, method: 'least-squares', layers: { relu: { degree: 27, error: 0.01 } } },
      },
      { bootstrapping: { set: 'N16-B10', spec: { degree: 30 } }, precisionBits: -Infinity },
      { bootstrapping: { levels: 8, precisionBits: 12 }, functional: { set: 'N15-P16', margin: 11 } },
    ])
      expect(() => checkOptions(options as never)).not.toThrow()
  })
  it('take no calibration that is damaged', () => {
    const seen = { count: 4, min: -1, max: 1, mean: 0, std: 1, histogram: new Float64Array(4).fill(1) }
    const good = {
      ...{ model: 'm', modelDigest: '00', samples: 1, statistics: { relu: seen }, outputMagnitude: 1 },
      ...{ outputRanges: { min: [-1], max: [1] }, inputRange: { min: 0, max: 1 }, values: {} },
    }
    expect(() => checkOptions({ calibration: good } as never)).not.toThrow()
    for (const bad of [
      JSON.parse(JSON.stringify(good)),
      { ...good, statistics: { relu: { ...seen, max: Number.NaN } } },
      ...[3, 'x', {}, [], null, { min: ['x'], max: [1] }].map((outputRanges) => ({ ...good, outputRanges })),
      { ...good, outputMagnitude: 'x' },
      { ...good, inputRange: 3 },
      { ...good, values: 7 },
      { ...good, modelDigest: undefined },
    ])
      expect(() => checkOptions({ calibration: bad } as never)).toThrow(
        /what fit\(model, data\) gives, or parseCalibration/,
      )
  })
  it.each([
    [{ batchSize: 4 }, /no option batchSize; there are calibration, .*batch/],
    [{ scalebits: 34 }, /no option scalebits: did you mean scaleBits\?/],
    [{ bootstraping: 'never' }, /did you mean bootstrapping\?/],
    [{ activation: { degre: 7 } }, /no option activation\.degre: did you mean degree\?/],
    [{ activation: { layers: { relu: { margn: 2 } } } }, /activation\.layers\.relu\.margn: did you mean margin\?/],
    [{ activation: { layers: { relu: 7 } } }, /activation\.layers must be .*"relu" is to be an object, got/],
    [{ activation: 7 }, /activation must be an object, got 7/],
    [
      { calibration: {} },
      /calibration must be what fit\(model, data\) gives, or parseCalibration of its file, got \{\}/,
    ],
    [{ calibration: null }, /calibration must be what fit/],
    [null, /options must be an object, got null/],
    [{ signal: {} }, /signal must be an AbortSignal/],
    [{ packing: 'batched' }, /packing must be one of auto, multiplexed, batch, channel, got "batched"/],
    [{ packing: 'multiplexed', batch: 2 }, /one image at a time/],
    [{ batch: 0 }, /batch must be a positive number of images, got 0/],
    [{ batch: 2.5 }, /batch must be a positive number/],
    [{ batch: '4' }, /got "4"/],
    [{ logN: 9 }, /logN must be an integer from 10 to 17, got 9/],
    [{ scaleBits: Number.NaN }, /scaleBits must be an integer from 1 to 94, got NaN/],
    [{ activation: { margin: Infinity } }, /margin must be a finite number of at least 1, got Infinity/],
    [{ activation: { method: 'taylor' } }, /activation\.method must be one of remez/],
    [{ bootstrapping: 'sometimes' }, /bootstrapping must be one of auto, always, never/],
    [{ bootstrapping: { level: 3 } }, /bootstrapping must be 'auto', 'always', 'never', \{ set \} or \{ levels \}/],
    [{ bootstrapping: { levels: 3, bits: 2 } }, /no option bootstrapping\.bits/],
    [{ functional: { margin: 0 } }, /functional\.margin must be/],
    [{ memory: 0 }, /memory must be a number of at least 1/],
    [{ keepWeights: 'no' }, /keepWeights must be true or false/],
    [{ request: {} }, /request must be a function/],
    [{ bootstrapping: 'always', parameters: {} }, /brings its own parameters/],
  ])('refuses %j', (options, message) => {
    expect(() => checkOptions(options as never)).toThrow(InvalidArgumentError)
    expect(() => checkOptions(options as never)).toThrow(message)
  })
})
