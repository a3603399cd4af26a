/** Window sums on a batch: plain additions, no level. Padding adds nothing. */
import type { Ciphertext } from '@he-ml/ckks-core'
import { sizeOf } from '@he-ml/model'
import { type BatchLayout, createLowered, type LoweredLayer } from '@he-ml/packing'
import { type LinearMap, sourceOf } from '../linear-map/linear-map.ts'

/** @param map depthwise; every window reads at least one input; its weights are taken to be 1 */
export function lowerBatchSum(map: LinearMap, input: BatchLayout): LoweredLayer {
  const output: BatchLayout = { ...input, shape: map.outputShape, ciphertexts: sizeOf(map.outputShape) }
  const [channels, height, width] = map.output
  const windowOf = (element: number): number[] => {
    const pixel = element % (height * width)
    return windowElements(map, Math.floor(element / (height * width)), Math.floor(pixel / width), pixel % width)
  }
  return createLowered({
    name: map.name,
    inputs: [input],
    output,
    depth: 0,
    reads: (elements) => [...new Set(elements.flatMap(windowOf))].sort((a, b) => a - b),
    prepare:
      async () =>
      async ({ engine, inputs, only, pacer, temporaries }) => {
        const results: Ciphertext[] = []
        for (const element of only ?? Array.from({ length: channels * height * width }, (_, i) => i)) {
          await pacer.step()
          const terms = windowOf(element).map((source) => inputs[0]![source]!)
          results[element] = temporaries.use(engine.sum(terms))
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
