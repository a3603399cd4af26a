import { describe, expect, it } from 'vitest'
import { randomFloats } from '../native/reference.test-helper.ts'
import { bothWays, type ConvolutionSizes, outputSize } from '../port/matrix-tasks.ts'
import type { Reals } from '../reals.ts'
import { referenceKernels } from './reference-kernels.ts'

const normals = (length: number, seed: number) => Float64Array.from(randomFloats(length, seed))
const dot = (a: Reals, b: Reals) => Array.from(a).reduce((sum, value, i) => sum + value * b[i]!, 0)

describe('matrix products', () => {
  const [m, n, k] = [3, 4, 5]
  it.each([
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ])('are their definition (transposeA %s, transposeB %s)', async (transposeA, transposeB) => {
    const [a, b, c] = [normals(m * k, 1), normals(k * n, 2), normals(m * n, 3)]
    const before = c.slice()
    await referenceKernels.gemm({ m, n, k, a, b, c, transposeA, transposeB, alpha: 2, beta: 0.5 })
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let sum = 0
        for (let l = 0; l < k; l++)
          sum += a[transposeA ? l * m + i : i * k + l]! * b[transposeB ? j * k + l : l * n + j]!
        expect(c[i * n + j]).toBeCloseTo(2 * sum + 0.5 * before[i * n + j]!, 12)
      }
  })
  it('do not read what they overwrite', async () => {
    const c = new Float64Array(1).fill(Number.NaN)
    await referenceKernels.gemm({ m: 1, n: 1, k: 1, a: Float64Array.of(2), b: Float64Array.of(3), c })
    expect(c[0]).toBe(6)
  })
})

const convolutions: ConvolutionSizes[] = [
  { batch: 2, inChannels: 3, height: 5, width: 6, outChannels: 4, kernel: [3, 3], stride: 1, padding: 1 },
  { batch: 2, inChannels: 2, height: 7, width: 5, outChannels: 3, kernel: [2, 3], stride: [2, 1], padding: [0, 1] },
  { batch: 1, inChannels: 4, height: 6, width: 6, outChannels: 6, kernel: [3, 2], stride: 3, padding: 2, groups: 2 },
  { batch: 3, inChannels: 2, height: 1, width: 1, outChannels: 2, kernel: 1, stride: 1, padding: 0, groups: 2 },
  { batch: 1, inChannels: 1, height: 2, width: 2, outChannels: 1, kernel: [5, 5], stride: 2, padding: 2 },
]

describe.each(convolutions)('convolution %j', (sizes) => {
  const { batch, inChannels, height, width, outChannels, groups = 1 } = sizes
  const [kernel, stride, padding] = [bothWays(sizes.kernel), bothWays(sizes.stride), bothWays(sizes.padding)]
  const [rows, columns] = [
    outputSize(height, kernel[0], stride[0], padding[0]),
    outputSize(width, kernel[1], stride[1], padding[1]),
  ]
  const [ins, outs] = [inChannels / groups, outChannels / groups]
  const input = normals(batch * inChannels * height * width, 1)
  const weight = normals(outChannels * ins * kernel[0] * kernel[1], 2)
  const bias = normals(outChannels, 3)
  const size = batch * outChannels * rows * columns
  const outputGradient = normals(size, 4)

  it('is its definition', async () => {
    const output = new Float64Array(size)
    await referenceKernels.conv2d({ ...sizes, input, weight, bias, output })
    let at = 0
    for (let n = 0; n < batch; n++)
      for (let o = 0; o < outChannels; o++)
        for (let row = 0; row < rows; row++)
          for (let column = 0; column < columns; column++) {
            let sum = bias[o]!
            for (let c = 0; c < ins; c++)
              for (let ky = 0; ky < kernel[0]; ky++)
                for (let kx = 0; kx < kernel[1]; kx++) {
                  const [y, x] = [row * stride[0] + ky - padding[0], column * stride[1] + kx - padding[1]]
                  if (y < 0 || y >= height || x < 0 || x >= width) continue
                  const channel = Math.floor(o / outs) * ins + c
                  const tap = weight[((o * ins + c) * kernel[0] + ky) * kernel[1] + kx]!
                  sum += tap * input[((n * inChannels + channel) * height + y) * width + x]!
                }
            expect(output[at++]).toBeCloseTo(sum, 10)
          }
  })

  it('has backward passes that are its adjoints', async () => {
    const output = new Float64Array(size)
    await referenceKernels.conv2d({ ...sizes, input, weight, output })
    const inputGradient = new Float64Array(input.length).fill(7)
    await referenceKernels.conv2dBackwardInput({ ...sizes, outputGradient, weight, inputGradient })
    const [weightGradient, biasGradient] = [
      new Float64Array(weight.length).fill(7),
      new Float64Array(outChannels).fill(7),
    ]
    await referenceKernels.conv2dBackwardWeight({ ...sizes, input, outputGradient, weightGradient, biasGradient })
    const want = dot(output, outputGradient)
    expect(dot(inputGradient, input)).toBeCloseTo(want, 9)
    expect(dot(weightGradient, weight)).toBeCloseTo(want, 9)
    const ones = new Float64Array(size)
    const nothing = new Float64Array(input.length)
    await referenceKernels.conv2d({ ...sizes, input: nothing, weight, bias, output: ones })
    expect(dot(biasGradient, bias)).toBeCloseTo(dot(ones, outputGradient), 9)
  })
})
