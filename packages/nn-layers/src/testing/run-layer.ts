/** For tests: a layer on the clear engine, against its own forward function. */
import { type ClearEngine, createClearEngine, insecureParameters, sameScale } from '@he-ml/ckks-core'
import { createTensor, type Layer, type Shape, sizeOf, type Tensor } from '@he-ml/model'
import {
  gapsOf,
  imagesPerTensor,
  type LowerContext,
  type LoweredLayer,
  lowerLayer,
  PackedTensor,
  pack,
  type SlotLayout,
  unpack,
  withGaps,
} from '@he-ml/packing'
import { expect } from 'vitest'

/** 512 slots; enough levels for any single layer. */
const testParameters = insecureParameters({ logN: 10, levels: 8, scaleBits: 40, dnum: 9 })
export const testContext: LowerContext = { maxSlots: 512 }

/** Deterministic values in [-1, 1]. */
export function randomTensor(shape: Shape, seed: number): Tensor {
  let state = (seed | 0) * 2654435761 + 12345
  const data = Float64Array.from({ length: sizeOf(shape) }, () => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 3266489917) | 0
    return state / 2 ** 31
  })
  return createTensor(shape, data)
}

/** Slot vectors with every gap filled with a large value, so that a layer that reads a gap is found out. */
export const fillGaps = <L extends SlotLayout>(layout: L): L => withGaps(layout, 'any')

export interface LayerRun {
  readonly lowered: LoweredLayer
  readonly engine: ClearEngine
  /** One per image. */
  readonly outputs: readonly Tensor[]
  /** Decrypted slots of each output ciphertext. */
  readonly vectors: readonly Float64Array[]
}

export interface RunOptions {
  readonly context?: LowerContext
  readonly level?: number
  /** Value of the input's slots without an element; default 1000 where the layout says 'any', else 0. */
  readonly gap?: number
}

/** Runs a layer; `images[b][i]` is input i of image b. Checks depth, level, scale, degree and that nothing leaks. */
export async function runLayer(
  layer: Layer,
  images: readonly (readonly Tensor[])[],
  layouts: readonly SlotLayout[],
  options: RunOptions = {},
): Promise<LayerRun> {
  const engine = createClearEngine(testParameters)
  const lowered = lowerLayer(layer, layouts, options.context ?? testContext)
  const level = options.level ?? lowered.depth + 1
  const inputs = layouts.map((layout, i) => {
    const vectors = pack(
      images.map((image) => image[i]!),
      layout,
    )
    spoilGaps(vectors, layout, options.gap ?? (gapsOf(layout) === 'any' ? 1000 : 0))
    return new PackedTensor(
      layout,
      vectors.map((v) => engine.encryptClear(v, { level })),
    )
  })
  const before = engine.memory().ciphertexts
  using prepared = await lowered.prepare(engine, { level })
  const [output] = (await prepared.apply(engine, inputs)) as [PackedTensor]
  expect(output.layout).toEqual(lowered.outputs[0]!)
  for (const ciphertext of output.ciphertexts) {
    expect(ciphertext.level).toBe(level - lowered.depth)
    expect(ciphertext.degree).toBe(1)
    expect(sameScale(ciphertext.scale, testParameters.scaleAt(ciphertext.level))).toBe(true)
  }
  const vectors = output.ciphertexts.map((c) => engine.readClear(c).re)
  const outputs = unpack(vectors, output.layout, images.length)
  output.dispose()
  expect(engine.memory().ciphertexts).toBe(before)
  return { lowered, engine, outputs, vectors }
}

function spoilGaps(vectors: readonly Float64Array[], layout: SlotLayout, value: number): void {
  const ones = onesOf(layout)
  vectors.forEach((vector, c) => {
    for (let s = 0; s < vector.length; s++) if (ones[c]![s] === 0) vector[s] = value
  })
}

/** 1 at every element of every image, 0 elsewhere. */
function onesOf(layout: SlotLayout): Float64Array[] {
  const image = createTensor(layout.shape, new Float64Array(sizeOf(layout.shape)).fill(1))
  return pack(new Array<Tensor>(imagesPerTensor(layout)).fill(image), layout)
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
  expectGaps(run, run.lowered.outputs[0]!)
  return run
}

/** The promise that a layout makes about its gaps, and its period. */
function expectGaps(run: LayerRun, layout: SlotLayout): void {
  const ones = onesOf(layout)
  const period = layout.kind === 'multiplexed' ? layout.period : layout.slots
  run.vectors.forEach((vector, c) => {
    for (let s = 0; s < vector.length; s++) {
      expect(Math.abs(vector[s]! - vector[s % period]!)).toBeLessThan(1e-9)
      if (gapsOf(layout) === 'zero' && ones[c]![s % layout.slots] === 0) expect(Math.abs(vector[s]!)).toBeLessThan(1e-9)
    }
  })
}

export const largestDifference = (a: Tensor, b: Tensor): number =>
  a.data.reduce((most, v, i) => Math.max(most, Math.abs(v - b.data[i]!)), 0)
