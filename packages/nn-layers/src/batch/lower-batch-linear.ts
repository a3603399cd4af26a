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
    reads: (elements) => readsOf(map, elements),
    prepare: async ({ engine, level }) => batchCircuit(map, weightScale(engine.parameters, level)),
  })
}

/** Elements of the input that the pixels of these elements read. */
function readsOf(map: LinearMap, elements: readonly number[]): number[] {
  const [, height, width] = map.output
  const [channels, rows, columns] = map.input
  const read = new Set<number>()
  for (const pixel of new Set(elements.map((element) => element % (height * width))))
    for (const ky of readTaps(map, 0, Math.floor(pixel / width)))
      for (const kx of readTaps(map, 1, pixel % width)) {
        const y = sourceOf(Math.floor(pixel / width), ky, 0, map.window)
        const x = sourceOf(pixel % width, kx, 1, map.window)
        for (let c = 0; c < channels; c++) read.add((c * rows + y) * columns + x)
      }
  // where all weights are zero a channel's first element stands in
  for (let c = 0; c < channels; c++) read.add(c * rows * columns)
  return [...read].sort((a, b) => a - b)
}

function batchCircuit(map: LinearMap, scale: number): Circuit {
  const [channels, height, width] = map.output
  const { outputs } = groupSizes(map)
  const pixels = height * width
  const productOf = productsOf(map, scale)
  return async ({ engine, inputs, only, pacer, temporaries }) => {
    const results = new Array<Ciphertext>(channels * pixels)
    const wanted = new Set(only)
    for (let pixel = 0; pixel < pixels; pixel++)
      for (let first = 0; first < channels; first += Math.min(MAX_ROWS, outputs - (first % outputs))) {
        const rows = Math.min(MAX_ROWS, outputs - (first % outputs))
        const isWanted = (row: number): boolean => !only || wanted.has((first + row) * pixels + pixel)
        if (!Array.from({ length: rows }, (_, row) => row).some(isWanted)) continue
        const { sources, weights } = productOf(pixel, first, rows)
        await pacer.step()
        const products = engine.matrixProduct(
          sources.map((s) => inputs[0]![s]!),
          weights,
        )
        for (const p of products) temporaries.use(p)
        for (const [row, p] of products.entries()) {
          if (!isWanted(row)) {
            p.dispose()
            continue
          }
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

interface Product {
  /** Elements of the input. */
  readonly sources: readonly number[]
  readonly weights: WeightMatrix & { readonly data: Float64Array }
}

/** An input channel (within the group) and a tap that reads it. */
type Link = readonly [c: number, ky: number, kx: number]

/**
 * Products by pixel, first output channel and number of them. Pixels that read no padding have the same weights, and so have those
 * that read the same of it.
 */
function productsOf(map: LinearMap, scale: number): (pixel: number, first: number, rows: number) => Product {
  const [, outRows, outColumns] = map.output
  const [, height, width] = map.input
  const { outputs, inputs } = groupSizes(map)
  const rowsOf = Array.from({ length: outRows }, (_, y) => readTaps(map, 0, y))
  const columnsOf = Array.from({ length: outColumns }, (_, x) => readTaps(map, 1, x))
  const known = new Map<string, ReturnType<typeof linked>>()
  const shared = !map.placed && outRows * outColumns > 1
  return (pixel, first, rows) => {
    const [y, x] = [Math.floor(pixel / outColumns), pixel % outColumns]
    const [kys, kxs] = [rowsOf[y]!, columnsOf[x]!]
    const name = `${first} ${kys} ${kxs}`
    const made = known.get(name) ?? linked(map, { first, rows, kys, kxs, y, x, scale })
    if (shared) known.set(name, made)
    const start = Math.floor(first / outputs) * inputs
    const sources = made.links.map(
      ([c, ky, kx]) => ((start + c) * height + sourceOf(y, ky, 0, map.window)) * width + sourceOf(x, kx, 1, map.window),
    )
    // all weights are zero
    return { sources: sources.length > 0 ? sources : [start * height * width], weights: made.weights }
  }
}

/** Taps of an axis through which an output reads an input, not padding. */
function readTaps(map: LinearMap, axis: 0 | 1, out: number): number[] {
  return Array.from({ length: map.window.kernel[axis] }, (_, tap) => tap).filter((tap) => {
    const source = sourceOf(out, tap, axis, map.window)
    return source >= 0 && source < map.input[axis + 1]!
  })
}

interface Block {
  readonly first: number
  readonly rows: number
  readonly kys: readonly number[]
  readonly kxs: readonly number[]
  readonly y: number
  readonly x: number
  readonly scale: number
}

/** Links with a weight that is not zero for some of these output channels, and the weights; one zero a row where there are none. */
function linked(map: LinearMap, { first, rows, kys, kxs, y, x, scale }: Block) {
  const links: Link[] = []
  const taps: number[][] = []
  for (let c = 0; c < groupSizes(map).inputs; c++)
    for (const ky of kys)
      for (const kx of kxs) {
        const tap = Array.from({ length: rows }, (_, row) => map.weight(first + row, c, ky, kx, y, x))
        if (tap.every((w) => w === 0)) continue
        links.push([c, ky, kx])
        taps.push(tap)
      }
  if (taps.length === 0) taps.push(new Array<number>(rows).fill(0))
  const columns = taps.length
  const data = new Float64Array(rows * columns)
  for (const [column, tap] of taps.entries())
    for (let row = 0; row < rows; row++) data[row * columns + column] = tap[row]!
  liftZeroRows(data, columns, scale)
  return { links, weights: { rows, columns, data } }
}
