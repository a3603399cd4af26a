import { createClearEngine, insecureParameters, UnsupportedError } from '@he-ml/ckks-core'
import { createTensor, type Layer, type MultiOutputLayer, ReadoutLayer, type Tensor } from '@he-ml/model'
import { describe, expect, it } from 'vitest'
import {
  createBatchLayout,
  createMultiOutputLowered,
  createMultiplexedLayout,
  type Lowerable,
  lowerLayer,
  PackedTensor,
  pack,
  type SlotLayout,
  unpack,
} from './index.ts'

const parameters = insecureParameters({ logN: 10, levels: 3, scaleBits: 40, dnum: 4 })
const of = (...values: number[]): Tensor => createTensor([values.length], Float64Array.from(values))
const layout = createMultiplexedLayout([3], { maxSlots: 128 })

/** Runs a lowered layer on the clear engine at level 2; `tensors` are its inputs. */
async function run(layer: Parameters<typeof lowerLayer>[0], tensors: readonly Tensor[], from: SlotLayout = layout) {
  const engine = createClearEngine(parameters)
  const lowered = lowerLayer(layer, new Array(tensors.length).fill(from), { maxSlots: 128 })
  using prepared = await lowered.prepare(engine, { level: 2 })
  const inputs = tensors.map(
    (t) =>
      new PackedTensor(
        from,
        pack(t, from).map((v) => engine.encryptClear(v, { level: 2 })),
      ),
  )
  const before = engine.memory().ciphertexts
  const outputs = await prepared.apply(engine, inputs)
  expect(outputs.map((o) => o.level)).toEqual(lowered.outputs.map(() => 2 - lowered.depth))
  const results = outputs.map(
    (o) =>
      unpack(
        o.ciphertexts.map((c) => engine.readClear(c).re),
        o.layout,
        1,
      )[0]!,
  )
  for (const output of outputs) output.dispose()
  expect(engine.memory().ciphertexts).toBe(before)
  return { lowered, results }
}

describe('lowerLayer', () => {
  it('refuses a layer that only computes in the clear, by name', () => {
    const clear: Layer = {
      kind: 'sort',
      name: 'sort1',
      arity: 1,
      outputShape: ([s]) => s!,
      forward: ([x]) => x!,
      digestParts: () => [],
    }
    expect(() => lowerLayer(clear, [layout], { maxSlots: 128 })).toThrow(UnsupportedError)
    expect(() => lowerLayer(clear, [layout], { maxSlots: 128 })).toThrow(/layer "sort1" \(sort\) has no encrypted form/)
  })

  it('takes layers with several outputs, each with ciphertexts of its own', async () => {
    const halves: MultiOutputLayer & Lowerable = {
      kind: 'both',
      name: 'both',
      arity: 1,
      outputs: ['double', 'negative'],
      digestParts: () => [],
      outputShapes: ([s]) => [s!, s!],
      forwardAll: ([x]) =>
        [2, -1].map((f) =>
          createTensor(
            x!.shape,
            x!.data.map((v) => f * v),
          ),
        ),
      lower: ([input]) =>
        createMultiOutputLowered({
          name: 'both',
          inputs: [input!],
          outputs: [input!, input!],
          depth: 0,
          prepare:
            async () =>
            async ({ engine, inputs: [x] }) => [x!.map((c) => engine.add(c, c)), x!.map((c) => engine.negate(c))],
        }),
    }
    const { lowered, results } = await run(halves, [of(1, -2, 3)])
    expect(lowered.outputs).toEqual([layout, layout])
    expect(results).toEqual(halves.forwardAll([of(1, -2, 3)]))
  })
})

describe('the readout of a model over time', () => {
  const steps = [of(1, 2, 3), of(0.5, -2, 4), of(0, 0.25, -1)]
  it.each([
    ['sum', 0],
    ['mean', 1],
  ] as const)('is a %s at depth %d', async (readout, depth) => {
    const layer = new ReadoutLayer('readout', readout, 3)
    for (const from of [layout, createBatchLayout([3], { slots: 4 })]) {
      const { lowered, results } = await run(layer, steps, from)
      expect([lowered.depth, lowered.outputs]).toEqual([depth, [from]])
      const wanted = layer.forward(steps).data
      for (const [i, v] of results[0]!.data.entries()) expect(v).toBeCloseTo(wanted[i]!, 9)
    }
  })
  it('tells gaps that add up, and refuses results that lie apart', () => {
    const layer = new ReadoutLayer('readout', 'sum', 2)
    const bounded: SlotLayout = { ...layout, grid: { ...layout.grid, gaps: 'bounded' } }
    expect(lowerLayer(layer, [bounded, bounded], { maxSlots: 128 }).outputs[0]).toMatchObject({ grid: { gaps: 'any' } })
    const moved: SlotLayout = { ...layout, grid: { ...layout.grid, channelOffsets: [2, 1, 0] } }
    expect(() => lowerLayer(layer, [layout, moved], { maxSlots: 128 })).toThrow(/"readout": .* lie in different slots/)
  })
})
