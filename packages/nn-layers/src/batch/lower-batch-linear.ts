/**
 * A linear map on a batch: an element is a ciphertext, a weight a scalar. All output channels of one pixel (and group) read
 * the same inputs, so they are one matrix product modulo each prime; then a rescale and a constant each. One level.
 */
import type { Ciphertext, WeightMatrix } from '@he-ml/ckks-core'
import { sizeOf } from '@he-ml/model'
import { type BatchLayout, type Circuit, createLowered, type LoweredLayer } from '@he-ml/packing'
import { groupSizes, type LinearMap, sourceOf } from '../linear-map/linear-map.ts'
import { liftZeroRows, weightScale } from '../lowered/unit-weight.ts'

/** Rows of one matrix product at most: results wait unrescaled, and a call should not be long. */
const MAX_ROWS = 32

export function lowerBatchLinear(map: LinearMap, input: BatchLayout): LoweredLayer {
  const output: BatchLayout = { ...input, shape: map.outputShape, ciphertexts: sizeOf(map.outputShape) }
  return createLowered({
    name: map.name,
    inputs: [input],
    output,
    depth: 1,
    prepare: async ({ engine, level }) => batchCircuit(map, weightScale(engine.parameters, level)),
  })
}

function batchCircuit(map: LinearMap, scale: number): Circuit {
  const [channels, height, width] = map.output
  const { outputs } = groupSizes(map)
  const pixels = height * width
  return async ({ engine, inputs, pacer, temporaries }) => {
    const results = new Array<Ciphertext>(channels * pixels)
    for (let pixel = 0; pixel < pixels; pixel++)
      for (let first = 0; first < channels; first += Math.min(MAX_ROWS, outputs - (first % outputs))) {
        const rows = Math.min(MAX_ROWS, outputs - (first % outputs))
        const { sources, weights } = product(map, pixel, first, rows)
        liftZeroRows(weights.data, weights.columns, scale)
        await pacer.step()
        const products = engine.matrixProduct(
          sources.map((s) => inputs[0]![s]!),
          weights,
        )
        for (const p of products) temporaries.use(p)
        for (const [row, p] of products.entries()) {
          await pacer.step()
          const o = first + row
          let result = temporaries.use(engine.rescale(p))
          p.dispose()
          const bias = map.bias?.[o] ?? 0
          if (bias !== 0) {
            const shifted = temporaries.use(engine.addScalar(result, bias))
            result.dispose()
            result = shifted
          }
          results[o * pixels + pixel] = result
        }
      }
    return results
  }
}

/** Inputs that some of these output channels read with a weight that is not zero (or one input, with zeros). */
function product(
  map: LinearMap,
  pixel: number,
  first: number,
  rows: number,
): { sources: number[]; weights: WeightMatrix & { readonly data: Float64Array } } {
  const [, , width] = map.output
  const [, height, columns] = map.input
  const { outputs, inputs } = groupSizes(map)
  const [kh, kw] = map.window.kernel
  const start = Math.floor(first / outputs) * inputs
  const y = Math.floor(pixel / width)
  const x = pixel % width
  const sources: number[] = []
  const taps: number[][] = []
  for (let c = 0; c < inputs; c++)
    for (let ky = 0; ky < kh; ky++) {
      const iy = sourceOf(y, ky, 0, map.window)
      if (iy < 0 || iy >= height) continue
      for (let kx = 0; kx < kw; kx++) {
        const ix = sourceOf(x, kx, 1, map.window)
        if (ix < 0 || ix >= columns) continue
        const tap = Array.from({ length: rows }, (_, row) => map.weight(first + row, c, ky, kx, y, x))
        if (tap.every((w) => w === 0)) continue
        sources.push(((start + c) * height + iy) * columns + ix)
        taps.push(tap)
      }
    }
  if (sources.length === 0) {
    sources.push(start * height * columns)
    taps.push(new Array<number>(rows).fill(0))
  }
  const data = new Float64Array(rows * taps.length)
  for (let row = 0; row < rows; row++)
    for (const [column, tap] of taps.entries()) data[row * taps.length + column] = tap[row]!
  return { sources, weights: { rows, columns: taps.length, data } }
}
