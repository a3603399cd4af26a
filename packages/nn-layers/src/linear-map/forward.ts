import { createTensor, type Tensor } from '@he-ml/packing'
import { groupSizes, type LinearMap, sourceOf } from './linear-map.ts'

/** The exact clear result in float64. */
export function forwardLinear(map: LinearMap, x: Tensor): Tensor {
  const [channels, height, width] = map.output
  const [, rows, columns] = map.input
  const { outputs, inputs } = groupSizes(map)
  const [kh, kw] = map.window.kernel
  const result = new Float64Array(channels * height * width)
  for (let o = 0; o < channels; o++) {
    const first = Math.floor(o / outputs) * inputs
    const plane = result.subarray(o * height * width, (o + 1) * height * width)
    if (map.bias) plane.fill(map.bias[o]!)
    for (let c = 0; c < inputs; c++) {
      const source = x.data.subarray((first + c) * rows * columns, (first + c + 1) * rows * columns)
      for (let ky = 0; ky < kh; ky++) for (let kx = 0; kx < kw; kx++) addTap(map, plane, source, { o, c, ky, kx })
    }
  }
  return createTensor(map.outputShape, result)
}

function addTap(
  map: LinearMap,
  plane: Float64Array,
  source: Float64Array,
  { o, c, ky, kx }: { o: number; c: number; ky: number; kx: number },
): void {
  const [, height, width] = map.output
  const [, rows, columns] = map.input
  for (let y = 0; y < height; y++) {
    const iy = sourceOf(y, ky, 0, map.window)
    if (iy < 0 || iy >= rows) continue
    for (let x = 0; x < width; x++) {
      const ix = sourceOf(x, kx, 1, map.window)
      if (ix < 0 || ix >= columns) continue
      plane[y * width + x]! += map.weight(o, c, ky, kx, y, x) * source[iy * columns + ix]!
    }
  }
}
