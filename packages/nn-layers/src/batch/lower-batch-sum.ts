/** Window sums on a batch: plain additions, no level. Padding adds nothing. */
import type { Ciphertext } from '@he-ml/ckks-core'
import { sizeOf } from '@he-ml/model'
import { type BatchLayout, createLowered, type LoweredLayer } from '@he-ml/packing'
import { type LinearMap, sourceOf } from '../linear-map/linear-map.ts'

/** @param map depthwise; every window reads at least one input; its weights are taken to be 1 */
export function lowerBatchSum(map: LinearMap, input: BatchLayout): LoweredLayer {
  const output: BatchLayout = { ...input, shape: map.outputShape, ciphertexts: sizeOf(map.outputShape) }
  const [channels, height, width] = map.output
  return createLowered({
    name: map.name,
    inputs: [input],
    output,
    depth: 0,
    prepare:
      async () =>
      async ({ engine, inputs, pacer, temporaries }) => {
        const results: Ciphertext[] = []
        for (let c = 0; c < channels; c++)
          for (let y = 0; y < height; y++)
            for (let x = 0; x < width; x++) {
              await pacer.step()
              const terms = windowElements(map, c, y, x).map((element) => inputs[0]![element]!)
              results.push(temporaries.use(engine.sum(terms)))
            }
        return results
      },
  })
}

function windowElements(map: LinearMap, c: number, y: number, x: number): number[] {
  const [, rows, columns] = map.input
  const elements: number[] = []
  for (let ky = 0; ky < map.window.kernel[0]; ky++)
    for (let kx = 0; kx < map.window.kernel[1]; kx++) {
      const iy = sourceOf(y, ky, 0, map.window)
      const ix = sourceOf(x, kx, 1, map.window)
      if (iy >= 0 && iy < rows && ix >= 0 && ix < columns) elements.push((c * rows + iy) * columns + ix)
    }
  return elements
}
