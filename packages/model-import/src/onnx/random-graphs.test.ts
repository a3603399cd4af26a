/** Random graphs, in the clear, against onnxruntime: the value is right or the graph is refused, never another value. */
import { UnsupportedError } from '@he-ml/ckks-core'
import { createTensor, sizeOf } from '@he-ml/model'
import { describe, expect, it } from 'vitest'
import { parseOnnx } from '../index.ts'
import { random, runReference } from '../testing/build-onnx.ts'
import { randomGraph } from '../testing/random-graphs.ts'

type Outcome = 'agrees' | 'refused'

async function check(seed: number, length: number): Promise<Outcome> {
  const { bytes, inputShape, openBatch, text } = randomGraph(seed, length)
  const next = random(seed + 1)
  const images = Array.from({ length: openBatch ? 2 : 1 }, () =>
    createTensor(inputShape, Float64Array.from({ length: sizeOf(inputShape) }, next)),
  )
  const wanted = await runReference(bytes, ...images)
  try {
    const model = parseOnnx(bytes)
    const got = images.flatMap((image) => [...model.forward(image).data])
    expect(got.length, `seed ${seed}: ${text}`).toBe(wanted.length)
    const size = wanted.reduce((most, v) => Math.max(most, Math.abs(v)), 1e-3)
    const worst = got.reduce((most, v, i) => Math.max(most, Math.abs(v - wanted[i]!)), 0)
    expect(worst / size, `seed ${seed}: ${text}`).toBeLessThan(1e-4)
    return 'agrees'
  } catch (error) {
    if (error instanceof UnsupportedError) return 'refused'
    throw new Error(`seed ${seed}: ${text}`, { cause: error })
  }
}

describe('random graphs agree with onnxruntime or are refused by name', () => {
  // seeds are fixed: 400 graphs, of which at most these many may be refused
  for (const { length, first, count, refused } of [
    { length: 1, first: 0, count: 100, refused: 5 },
    { length: 3, first: 1000, count: 120, refused: 12 },
    { length: 6, first: 2000, count: 120, refused: 20 },
    { length: 12, first: 3000, count: 60, refused: 20 },
  ])
    it(`${count} of ${length} steps`, async () => {
      const outcomes: Outcome[] = []
      for (let seed = first; seed < first + count; seed++) outcomes.push(await check(seed, length))
      expect(outcomes.filter((o) => o === 'refused').length).toBeLessThanOrEqual(refused)
    })
})
