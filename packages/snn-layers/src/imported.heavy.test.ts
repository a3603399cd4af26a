import { readFileSync } from 'node:fs'
import { type ClearEngine, createClearEngine, insecureParameters } from '@he-ml/ckks-core'
import { createTensor, foldFactors, forwardApproximate, type Model, type Tensor, unroll } from '@he-ml/model'
import { createMultiplexedLayout, pack, unpack } from '@he-ml/packing'
import { expect, it } from 'vitest'
import { importSpikingModel } from './import-spiking-model.ts'
import { polynomialSpikeStep } from './polynomial-step.ts'
import { calibrate, runLowered } from './run-lowered.test-helper.ts'

const folder = new URL('../../../examples/train-spiking-lenet5/models/', import.meta.url)
const step = polynomialSpikeStep({ degrees: [7, 13] })
const read = (name: string): Model =>
  importSpikingModel(
    {
      description: readFileSync(new URL(`${name}.json`, folder), 'utf8'),
      weights: readFileSync(new URL(`${name}.safetensors`, folder)),
    },
    { step },
  )

/** A ring and a bar, as digits are; the shipped models take pixels from 0 to 1. */
const digit = (seed: number): Tensor =>
  createTensor(
    [1, 28, 28],
    Float64Array.from({ length: 784 }, (_, i) => {
      const [y, x] = [Math.floor(i / 28) - 14, (i % 28) - 14]
      const ring = Math.abs(Math.hypot(x, y + seed) - 7) < 1.5 || Math.abs(x - seed) < 1.2
      return ring ? 1 : 0
    }),
  )

async function onSlots(plain: Model, image: Tensor, engine: ClearEngine): Promise<{ result: Tensor; depth: number }> {
  const layout = createMultiplexedLayout(image.shape, { maxSlots: engine.parameters.maxSlots })
  const { output } = await runLowered(
    plain,
    layout,
    engine,
    pack(image, layout).map((v) => engine.encryptClear(v)),
  )
  const vectors = output.ciphertexts.map((c) => engine.readClear(c).re)
  return { result: unpack(vectors, output.layout, 1)[0]!, depth: engine.parameters.maxLevel - output.level }
}

// per layer of neurons: the step's 7 levels; one for the reset to zero and one for the quadratic drift
it.each([
  ['mnist-lif-t2', 7],
  ['mnist-qif-t2', 9],
])('%s computes in slots what its soft steps compute in the clear', async (name, depth) => {
  const exact = read(name)
  const ready = foldFactors(calibrate(exact, [0, 1, 2, 3].map(digit))).model
  const plain = unroll(ready)
  const image = digit(2)
  const soft = plain.evaluate(image, ({ layer }, inputs) => forwardApproximate(layer, inputs))
  await using engine = createClearEngine(insecureParameters({ logN: 15, levels: 51, scaleBits: 40, dnum: 52 }))
  const { result, depth: taken } = await onSlots(plain, image, engine)
  for (const [i, v] of soft.data.entries()) expect(result.data[i]!).toBeCloseTo(v, 6)
  // five weights, both steps of the first neurons, the last of the three behind them
  expect(taken).toBe(5 + 2 * depth + 3 * depth)
  for (const [i, v] of ready.forward(image).data.entries()) expect(v).toBeCloseTo(exact.forward(image).data[i]!, 9)
})
