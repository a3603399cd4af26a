/** For tests: a layer on the clear engine, against its own forward function. */
import type { Layer, Tensor } from '@he-ml/model'
import { imagesPerTensor, type LowerContext, type SlotLayout, withGaps } from '@he-ml/packing'
import { expect } from 'vitest'
import { largestDifference, randomTensor } from '../checking/random-tensor.ts'
import { type LayerRun, type RunOptions as RunSettings, runOnClearEngine } from '../checking/run-layer.ts'

export { largestDifference, randomTensor }

export const testContext: LowerContext = { maxSlots: 512 }

/** Slot vectors with every gap filled with a large value, so that a layer that reads a gap is found out. */
export const fillGaps = <L extends SlotLayout>(layout: L): L => withGaps(layout, 'any')

export type RunOptions = Partial<RunSettings>

/** Runs a layer; `images[b][i]` is input i of image b. Checks depth, level, scale, degree, gaps, and that nothing leaks. */
export async function runLayer(
  layer: Layer,
  images: readonly (readonly Tensor[])[],
  layouts: readonly SlotLayout[],
  options: RunOptions = {},
): Promise<LayerRun> {
  const run = await runOnClearEngine(layer, images, layouts, { context: testContext, ...options })
  expect(run.findings).toEqual([])
  return run
}

/** Runs a layer with one input on random images and compares with forward. */
export async function expectLikeForward(
  layer: Layer,
  layouts: readonly SlotLayout[],
  options: RunOptions & { readonly seed?: number; readonly tolerance?: number } = {},
): Promise<LayerRun> {
  const { seed = 1, tolerance = 1e-9 } = options
  const [first] = layouts as [SlotLayout]
  // of several sub-batches the first image of the last is among them
  const count =
    Math.min(3, imagesPerTensor(first)) + (first.kind === 'channel' ? first.images * (first.subBatches - 1) : 0)
  const images = Array.from({ length: count }, (_, b) => layouts.map((l, i) => randomTensor(l.shape, seed + 7 * b + i)))
  const run = await runLayer(layer, images, layouts, options)
  run.outputs.forEach((output, b) => {
    const expected = layer.forward(images[b]!)
    expect(output.shape).toEqual(expected.shape)
    expect(largestDifference(output, expected)).toBeLessThan(tolerance)
  })
  return run
}
