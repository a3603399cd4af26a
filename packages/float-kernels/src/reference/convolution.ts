/** Convolutions by patches and matrix products, image by image and group by group, in either precision. */

import {
  bothWays,
  type Convolution,
  type ConvolutionBackwardInput,
  type ConvolutionBackwardWeight,
  type ConvolutionSizes,
  outputSize,
} from '../port/matrix-tasks.ts'
import { type Reals, zerosLike } from '../reals.ts'
import { multiplyMatrices } from './matrix-product.ts'
import { gatherPatches, scatterPatches } from './patches.ts'

/** The parts of one image and one group. */
interface Part {
  readonly input: (values: Reals) => Reals
  readonly output: (values: Reals) => Reals
  readonly weight: (values: Reals) => Reals
}

/** Sizes of a group's matrices: weights [outputs, taps], patches [taps, positions]. */
function matrixSizes(sizes: ConvolutionSizes) {
  const { inChannels, outChannels, height, width, groups = 1 } = sizes
  const [kernel, stride, padding] = [bothWays(sizes.kernel), bothWays(sizes.stride), bothWays(sizes.padding)]
  const channels = inChannels / groups
  const rows = outputSize(height, kernel[0], stride[0], padding[0])
  const positions = rows * outputSize(width, kernel[1], stride[1], padding[1])
  return { groups, channels, outputs: outChannels / groups, taps: channels * kernel[0] * kernel[1], positions }
}

function forEachPart(sizes: ConvolutionSizes, visit: (part: Part) => void): void {
  const { groups, channels, outputs, taps, positions } = matrixSizes(sizes)
  const inputSize = channels * sizes.height * sizes.width
  const slice = (size: number, index: number) => (values: Reals) => values.subarray(index * size, (index + 1) * size)
  for (let n = 0; n < sizes.batch; n++)
    for (let g = 0; g < groups; g++) {
      const index = n * groups + g
      visit({
        input: slice(inputSize, index),
        output: slice(outputs * positions, index),
        weight: slice(outputs * taps, g),
      })
    }
}

export function convolve(task: Convolution): void {
  const { channels, outputs, taps, positions } = matrixSizes(task)
  const { bias, output } = task
  const patches = zerosLike(task.input, taps * positions)
  forEachPart(task, (part) => {
    gatherPatches(task, channels, part.input(task.input), patches)
    const [a, c] = [part.weight(task.weight), part.output(output)]
    multiplyMatrices({ m: outputs, n: positions, k: taps, a, b: patches, c })
  })
  if (!bias) return
  for (let start = 0, channel = 0; start < output.length; start += positions, channel = (channel + 1) % bias.length)
    for (let i = start; i < start + positions; i++) output[i] = output[i]! + bias[channel]!
}

export function convolveBackwardInput(task: ConvolutionBackwardInput): void {
  const { channels, outputs, taps, positions } = matrixSizes(task)
  const patches = zerosLike(task.inputGradient, taps * positions)
  task.inputGradient.fill(0)
  forEachPart(task, (part) => {
    const [a, b] = [part.weight(task.weight), part.output(task.outputGradient)]
    multiplyMatrices({ m: taps, n: positions, k: outputs, a, b, c: patches, transposeA: true })
    scatterPatches(task, channels, patches, part.input(task.inputGradient))
  })
}

export function convolveBackwardWeight(task: ConvolutionBackwardWeight): void {
  const { channels, outputs, taps, positions } = matrixSizes(task)
  const { biasGradient, outputGradient } = task
  const patches = zerosLike(task.input, taps * positions)
  task.weightGradient.fill(0)
  forEachPart(task, (part) => {
    gatherPatches(task, channels, part.input(task.input), patches)
    const [a, c] = [part.output(outputGradient), part.weight(task.weightGradient)]
    multiplyMatrices({ m: outputs, n: taps, k: positions, a, b: patches, c, transposeB: true, beta: 1 })
  })
  if (!biasGradient) return
  biasGradient.fill(0)
  for (let start = 0, c = 0; start < outputGradient.length; start += positions, c = (c + 1) % biasGradient.length) {
    let sum = 0
    for (let i = start; i < start + positions; i++) sum += outputGradient[i]!
    biasGradient[c] = biasGradient[c]! + sum
  }
}
