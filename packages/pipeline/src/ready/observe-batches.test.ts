import { Pacer } from '@he-ml/ckks-core'
import { createFloatKernels, referenceKernels } from '@he-ml/float-kernels'
import { expect, it } from 'vitest'
import { images, residual } from '../pipeline.test-helper.ts'
import { liveValues } from './live-values.ts'
import { Observations } from './observations.ts'
import { observeBatches } from './observe-batches.ts'

it('gives the same bits whatever the size of a batch, and takes what fits', async () => {
  await using compiled = createFloatKernels({ threads: 2 })
  const model = residual(2)
  const { peak } = liveValues(model)
  for (const kernels of [compiled, referenceKernels]) {
    const results: unknown[] = []
    for (const [liveElements, wanted] of [
      [1, [1, 2, 3, 4, 5, 6, 7]],
      [3 * peak + 1, [3, 6, 7]],
      [4 * peak - 1, [3, 6, 7]],
      [undefined, [7]],
    ] as const) {
      const seen = new Observations(model)
      const progress: number[] = []
      await observeBatches(images(7), {
        ...{ model, seen, kernels, pacer: new Pacer('test') },
        done: () => progress.push(seen.samples),
        ...(liveElements && { liveElements }),
      })
      expect(progress).toEqual(wanted)
      results.push(seen.calibration())
    }
    for (const result of results) expect(result).toEqual(results[0])
  }
})
