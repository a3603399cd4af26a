/** What average pooling makes of spikes. */
import type { LayerDescription } from '@he-ml/model/spiking'

/**
 * For every convolution or linear layer that reads spikes, pooled or not: the n for which its inputs are multiples of 1 / n.
 * Layers that read anything else (real inputs, membranes, values of other weighted layers) are not in the map.
 */
export function spikeFractions(layers: readonly LayerDescription[]): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  follow(layers, undefined, found)
  return found
}

/** The same n for the last layer's output; undefined if that is no fraction of spikes. */
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
        n = main && shortcut && (main * shortcut) / greatestCommonDivisor(main, shortcut)
        break
      }
      case 'affine':
      case 'tdBatchNorm':
        n = undefined
    }
  return n
}

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b))
