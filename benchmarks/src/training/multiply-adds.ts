/** What an epoch cannot do without: the multiply-adds of its products, at the best rate of the processor's own instruction. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { LayerDescription, NetworkDescription } from '@he-ml/snn-training'

/** Products of a layer with weights: forwards, for the weights' gradient and for the input's. */
const PASSES = 3

/**
 * Multiply-adds of one image in one step of training, by the definition: convolutions without padding's zeros left out. What
 * stands before the first neurons is computed once for all time steps, and the first layer's input needs no gradient.
 *
 * @throws InvalidArgumentError for layers inside layers
 */
export function trainingMultiplyAdds({ layers, inputShape, timeSteps }: NetworkDescription): number {
  let shape: readonly number[] = inputShape
  let [times, isFirst, total] = [1, true, 0]
  for (const layer of layers) {
    const { products, output } = productsOf(layer, shape)
    total += products * times * (isFirst ? PASSES - 1 : PASSES)
    if (products > 0) isFirst = false
    if (layer.kind === 'neuron') times = timeSteps
    shape = output
  }
  return total
}

const sizeOf = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1)

function productsOf(
  layer: LayerDescription,
  shape: readonly number[],
): { products: number; output: readonly number[] } {
  if (layer.kind === 'linear') return { products: sizeOf(shape) * layer.outFeatures, output: [layer.outFeatures] }
  if (layer.kind === 'conv2d') {
    const { outChannels, kernel, stride, padding, groups } = layer
    const [channels, ...sides] = shape as [number, number, number]
    const output = [outChannels, ...sides.map((side, i) => Math.floor((side + 2 * padding - kernel[i]!) / stride) + 1)]
    return { products: sizeOf(output) * (channels / groups) * sizeOf(kernel), output }
  }
  if (layer.kind === 'averagePool2d' || layer.kind === 'maxPool2d') {
    const [channels, ...sides] = shape as [number, number, number]
    const output = [channels, ...sides.map((side) => Math.floor((side - layer.kernel) / layer.stride) + 1)]
    return { products: 0, output }
  }
  if (layer.kind === 'residual')
    throw new InvalidArgumentError(`multiply-adds: expected plain layers, got "${layer.name}" (residual)`)
  return { products: 0, output: layer.kind === 'flatten' ? [sizeOf(shape)] : shape }
}
