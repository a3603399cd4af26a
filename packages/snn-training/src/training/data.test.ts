import { describe, expect, it } from 'vitest'
import { randomShift } from '../augmentation/augmentation.ts'
import { deriveSeed, RandomStream } from '../random/random-stream.ts'
import { normals } from '../testing.test-helper.ts'
import { arrayData, BatchCollector } from './data.ts'

const [count, size] = [6, 12]
const shape = [1, 3, 4]

describe.each([1, 3])('batches of samples with %i frames', (steps) => {
  const samples = Float32Array.from(normals(count * steps * size, 1))
  const data = arrayData(samples, [3, 1, 4, 1, 5, 9], shape, steps)
  const frame = (sample: number, t: number) =>
    samples.slice((sample * steps + t) * size, (sample * steps + t + 1) * size)

  it('have time outermost, whatever batch was before', () => {
    const batches = new BatchCollector(data, 'float32')
    for (const indices of [[5, 0], [1, 2, 3, 4], [2], [0, 1, 2, 3]]) {
      const { input, labels } = batches.collect(indices)
      expect([...labels]).toEqual(indices.map((index) => data.label(index)))
      expect(input).toMatchObject({ steps, batch: indices.length, shape })
      const want = Array.from({ length: steps }, (_, t) => indices.map((index) => [...frame(index, t)])).flat(2)
      expect([...input.data]).toEqual(want)
    }
  })
  it('are changed by sample and epoch, wherever the sample stands', () => {
    const augment = { augmentation: randomShift(1), seed: 4, epoch: 2 }
    const { input } = new BatchCollector(data, 'float32').collect([3, 5], augment)
    const want = samples.slice(5 * steps * size, 6 * steps * size)
    randomShift(1)(want, shape, new RandomStream(deriveSeed(4, 'augment', 2, 5)))
    for (let t = 0; t < steps; t++)
      expect(input.data.slice((2 * t + 1) * size, (2 * t + 2) * size)).toEqual(want.slice(t * size, (t + 1) * size))
  })
})
