import { CancelledError } from '@he-ml/ckks-core'
import { arrayData, createNetwork } from '@he-ml/snn-training'
import { describe, expect, it } from 'vitest'
import { answersOf, inputOf } from './batches.ts'
import { examinationText } from './examination-text.ts'
import { type Examination, examine } from './examine.ts'
import { wilsonInterval } from './interval.ts'

describe('wilsonInterval', () => {
  // by hand from (p + z^2/2n -+ z sqrt(p (1 - p)/n + z^2/4n^2)) / (1 + z^2/n); 8 of 10 is in many textbooks
  it.each([
    [8, 10, 0.4902, 0.9433],
    [10, 10, 0.7225, 1],
    [0, 10, 0, 0.2775],
    [4950, 5000, 0.98685, 0.99241],
  ])('%d of %d: %d to %d', (correct, count, low, high) => {
    const interval = wilsonInterval(correct, count)
    expect(interval[0]).toBeCloseTo(low, 4)
    expect(interval[1]).toBeCloseTo(high, 4)
  })
})

describe('batches', () => {
  it('put time outermost', () => {
    const data = arrayData(Float32Array.of(1, 2, 3, 4, 5, 6), [0, 1, 0], [1], 2)
    expect(inputOf(data, 1, 2)).toEqual({ data: Float32Array.of(3, 5, 4, 6), steps: 2, batch: 2, shape: [1] })
  })
  it('answer with the first of the highest scores', () => expect(answersOf([0, 2, 2, 3, 1, 2], 2)).toEqual([1, 0]))
})

/** One input drives two neurons by weights 1 and -2 (beta 0, reset to zero), which are the two classes. */
function twoNeurons(grid?: { step: number; count: number }) {
  const network = createNetwork({
    name: 'two',
    inputShape: [1],
    timeSteps: 2,
    layers: [
      { kind: 'linear', name: 'fc', outFeatures: 2, bias: false },
      {
        kind: 'neuron',
        name: 'spikes',
        neuron: { kind: 'lif', beta: 0, threshold: 1, reset: 'zero' },
        surrogate: { kind: 'rectangle', width: 0.5 },
        ...(grid && { grid }),
      },
    ],
  })
  network.parameters[0]!.value.set([1, -2])
  return network
}

describe('examine', () => {
  const data = arrayData(Float32Array.of(1.5, -0.75, 0.25), [0, 1, 1], [1])
  it('counts answers, spikes and membranes', async () => {
    const progress: number[] = []
    const result = await examine(twoNeurons(), data, { batchSize: 2, onProgress: (done) => progress.push(done) })
    // 0.25 makes nobody fire, and the first class is taken
    expect(result).toMatchObject({ correct: 2, count: 3, accuracy: 2 / 3 })
    expect(result.layers).toEqual([{ name: 'spikes', neurons: 2, firing: 2 / 6, charged: [-3, 1.5] }])
    expect(progress).toEqual([2, 3])
  })
  it('looks at grids', async () => {
    const { layers, predictions } = await examine(twoNeurons({ step: 0.25, count: 16 }), data)
    expect(predictions.map(({ index }) => index)).toEqual(Array.from({ length: data.count }, (_, i) => i))
    // 1.5, -3 clipped to -2, -0.75, 1.5, 0.25, -0.5
    expect(layers[0]!.charged).toEqual([-2, 1.5])
    expect(layers[0]!.grid).toEqual({ step: 0.25, count: 16, onGrid: 1, atEnds: 1 / 6, clipped: 1 / 6 })
  })
  it('stops when told to', async () => {
    await expect(examine(twoNeurons(), data, { signal: AbortSignal.abort() })).rejects.toThrow(CancelledError)
  })
})

describe('examinationText', () => {
  it('says all of it', () => {
    const result: Examination = {
      correct: 4950,
      count: 5000,
      accuracy: 0.99,
      interval: wilsonInterval(4950, 5000),
      layers: [
        { name: 'neurons1', neurons: 4704, firing: 0.125, charged: [-3, 4.5] },
        {
          name: 'n2',
          neurons: 84,
          firing: 0.5,
          charged: [0, 1],
          grid: { step: 0.25, count: 64, onGrid: 0.5, atEnds: 0.01, clipped: 0.002 },
        },
        {
          name: 'n3',
          neurons: 8,
          firing: 0,
          charged: [0, 1],
          grid: { step: 0.25, count: 64, onGrid: 1, atEnds: 0, clipped: 0 },
        },
      ],
      predictions: [],
    }
    expect(examinationText(result).split('\n')).toEqual([
      'test: 4950 of 5000 right, 99.00 % (95 % confidence: 98.68 % to 99.24 %)',
      '  layer     neurons  spikes          membrane       grid',
      '  neurons1  4704     0.125 per step  -3.00 to 4.50  none',
      '  n2        84       0.500 per step  0.00 to 1.00   64 points, step 0.250: ONLY 50.00 % ON IT, 1.00 % at its ends, 0.20 % clipped',
      '  n3        8        0.000 per step  0.00 to 1.00   64 points, step 0.250: all on it, 0.00 % at its ends, 0.00 % clipped',
    ])
  })
})
