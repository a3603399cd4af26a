/** Definitions in double precision, as loops over every product; each with the magnitudes that bound the rounding error. */
import { expect } from 'vitest'
import { bothWays, type ConvolutionSizes, type Gemm } from '../port/matrix-tasks.ts'

/** Sums, and sums of magnitudes. */
export class Exact {
  readonly sum: Float64Array
  readonly magnitude: Float64Array
  constructor(size: number) {
    this.sum = new Float64Array(size)
    this.magnitude = new Float64Array(size)
  }
  add(i: number, term: number): void {
    this.sum[i]! += term
    this.magnitude[i]! += Math.abs(term)
  }
  /** No value is further off than `roundings` f32 roundings of its terms can explain. */
  expectClose(got: Float32Array, roundings: number): void {
    let worst = 0
    for (const [i, value] of got.entries())
      worst = Math.max(worst, Math.abs(value - this.sum[i]!) / (this.magnitude[i]! + 1e-30))
    expect(worst).toBeLessThanOrEqual((roundings + 2) * 2 ** -24)
    expect(got).toHaveLength(this.sum.length)
    expect(got.every(Number.isFinite)).toBe(true)
  }
}

export function gemmReference(job: Gemm<Float32Array>, before: Float32Array): Exact {
  const { m, n, k, a, b, transposeA, transposeB, alpha = 1, beta = 0 } = job
  const exact = new Exact(m * n)
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      if (beta !== 0) exact.add(i * n + j, Math.fround(beta) * before[i * n + j]!)
      for (let t = 0; t < k; t++) {
        const x = transposeA ? a[t * m + i]! : a[i * k + t]!
        const y = transposeB ? b[j * k + t]! : b[t * n + j]!
        exact.add(i * n + j, Math.fround(alpha) * x * y)
      }
    }
  return exact
}

/** Numbers of values, of terms of a sum, and of positions. */
export interface ConvolutionLengths {
  readonly input: number
  readonly weight: number
  readonly output: number
  readonly terms: number
  readonly positions: number
}

function geometry(shape: ConvolutionSizes) {
  const [ky, kx] = bothWays(shape.kernel)
  const [sy, sx] = bothWays(shape.stride)
  const [py, px] = bothWays(shape.padding)
  const groups = shape.groups ?? 1
  const oh = Math.floor((shape.height + 2 * py - ky) / sy) + 1
  const ow = Math.floor((shape.width + 2 * px - kx) / sx) + 1
  return { ky, kx, sy, sx, py, px, oh, ow, ic: shape.inChannels / groups, oc: shape.outChannels / groups }
}

export function convolutionSizes(shape: ConvolutionSizes): ConvolutionLengths {
  const g = geometry(shape)
  return {
    input: shape.batch * shape.inChannels * shape.height * shape.width,
    weight: shape.outChannels * g.ic * g.ky * g.kx,
    output: shape.batch * shape.outChannels * g.oh * g.ow,
    terms: g.ic * g.ky * g.kx,
    positions: shape.batch * g.oh * g.ow,
  }
}

/** Calls `visit` with the flat indices of each product of the definition. */
export function everyProduct(
  shape: ConvolutionSizes,
  visit: (output: number, input: number, weight: number) => void,
): void {
  const { ky, kx, sy, sx, py, px, oh, ow, ic, oc } = geometry(shape)
  const { batch, inChannels, height, width, outChannels } = shape
  const tap = (n: number, o: number, y: number, x: number, i: number) => {
    const channel = Math.floor(o / oc) * ic + i
    for (let v = 0; v < ky; v++)
      for (let h = 0; h < kx; h++) {
        const [iy, ix] = [y * sy + v - py, x * sx + h - px]
        if (iy < 0 || ix < 0 || iy >= height || ix >= width) continue
        const from = ((n * inChannels + channel) * height + iy) * width + ix
        visit(((n * outChannels + o) * oh + y) * ow + x, from, ((o * ic + i) * ky + v) * kx + h)
      }
  }
  for (let n = 0; n < batch; n++)
    for (let o = 0; o < outChannels; o++)
      for (let y = 0; y < oh; y++) for (let x = 0; x < ow; x++) for (let i = 0; i < ic; i++) tap(n, o, y, x, i)
}

/** Uniform in [-1, 1), the same for the same seed (Park and Miller's generator). */
export function randomFloats(size: number, seed: number): Float32Array {
  let state = (seed % 2147483646) + 1
  return Float32Array.from({ length: size }, () => {
    state = (state * 48271) % 2147483647
    return (state / 2147483647) * 2 - 1
  })
}
