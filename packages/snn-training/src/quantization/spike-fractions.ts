/** What average pooling makes of spikes, and of an input on a grid. */
import type { LayerDescription, NetworkDescription } from '@he-ml/model/spiking'

/**
 * For every convolution or linear layer that reads spikes, pooled or not: the n for which its inputs are multiples of 1 / n. So for
 * those that read the network's input, where that lies on a grid of step 1 / n. Layers that read anything else (real inputs, membranes,
 * values of other weighted layers) are not in the map.
 */
export function spikeFractions({
  layers,
  inputGrid,
}: Pick<NetworkDescription, 'layers' | 'inputGrid'>): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  follow(layers, inputGrid && 1 / inputGrid.step, found)
  return found
}

/** The same n for the last layer's output; undefined if that is no fraction of what it reads. */
function follow(
  layers: readonly LayerDescription[],
  before: number | undefined,
  found: Map<string, number>,
): number | undefined {
  let n = before
  for (const layer of layers)
    switch (layer.kind) {
      case 'neuron':
        n = layer.output === 'spikes' ? 1 : undefined
        break
      case 'averagePool2d':
        n = n && n * layer.kernel * layer.kernel
        break
      case 'conv2d':
      case 'linear':
        if (n !== undefined) found.set(layer.name, n)
        n = undefined
        break
      case 'residual': {
        const [main, shortcut] = [follow(layer.main, n, found), follow(layer.shortcut, n, found)]
        n = main === shortcut ? main : main && shortcut && leastCommonMultiple(main, shortcut)
        break
      }
      case 'affine':
      case 'tdBatchNorm':
        n = undefined
    }
  return n
}

/** Undefined for what is no whole number: the step of an input may be any. */
const leastCommonMultiple = (a: number, b: number): number | undefined =>
  Number.isInteger(a) && Number.isInteger(b) ? (a * b) / greatestCommonDivisor(a, b) : undefined

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b))
