/** For tests: convolutions of any form that fits its image. */
import fc from 'fast-check'
import { conv2d } from '../index.ts'
import { randomTensor } from './run-layer.ts'

export const size = (min: number, max: number) => fc.integer({ min, max })
export const pairOf = (min: number, max: number) => fc.tuple(size(min, max), size(min, max))

/** @param most groups, input channels of a group, and padding at the bottom and on the right */
export const convolutions = (most: { readonly groups: number; readonly inputs: number; readonly padding: number }) =>
  fc
    .record({
      groups: size(1, most.groups),
      inputs: size(1, most.inputs),
      outputs: size(1, 3),
      image: pairOf(1, 8),
      kernel: pairOf(1, 3),
      stride: pairOf(1, 3),
      dilation: pairOf(1, 2),
      padding: fc.tuple(size(0, 2), size(0, 2), size(0, most.padding), size(0, most.padding)),
      bias: fc.boolean(),
      integers: fc.boolean(),
      seed: fc.nat(),
    })
    .filter(({ image, kernel, dilation, padding }) =>
      [0, 1].every((a) => dilation[a]! * (kernel[a]! - 1) + 1 <= image[a]! && padding[a]! < kernel[a]!),
    )

type Convolution = ReturnType<typeof convolutions> extends fc.Arbitrary<infer T> ? T : never

export function makeConvolution(c: Convolution) {
  const channels = c.groups * c.outputs
  const weights = randomTensor([channels, c.inputs, ...c.kernel], c.seed)
  if (c.integers) weights.data.set(weights.data.map((w) => Math.sign(w) * Math.ceil(2 * Math.abs(w))))
  const bias = c.bias ? { bias: randomTensor([channels], c.seed + 1).data } : {}
  const { groups, stride, dilation, padding } = c
  return conv2d({ name: 'conv', weights, groups, stride, dilation, padding, ...bias })
}
