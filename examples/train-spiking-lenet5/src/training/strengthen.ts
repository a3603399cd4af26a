/** A start for training on coarse grids. */
import type { Reals } from '@he-ml/snn-neurons'
import { createNetwork, type Network } from '@he-ml/snn-training'

/**
 * A copy of a network, with weights larger where a grid's step is much larger than they are: rounded as they are, hardly any would be
 * left. The weights of a layer are multiplied by (step / size)^strength, where size is the mean magnitude of those above 0.7 times the
 * mean magnitude of all (the scale of ternary networks, arXiv 1605.04711); smaller steps change nothing.
 *
 * @param gridded the same network on its grids
 * @param strength 0 for the weights as they are, 1 for as large as their step
 */
export function strengthened(network: Network, gridded: Network, strength: number): Network {
  const result = createNetwork(network.description, network.options)
  const steps = new Map(gridded.description.layers.map((layer) => [`${layer.name}.weight`, stepOf(layer)]))
  for (const [i, { name, value }] of result.state.entries()) {
    const own = network.state[i]!.value
    const step = steps.get(name)
    const factor = step === undefined ? 1 : Math.max(1, step / ternarySize(own)) ** strength
    value.set(own.map((weight) => weight * factor))
  }
  return result
}

const stepOf = (layer: Network['description']['layers'][number]): number | undefined =>
  layer.kind === 'conv2d' || layer.kind === 'linear' ? layer.weightGrid?.step : undefined

/** Mean magnitude of the weights above 0.7 of their mean magnitude. */
function ternarySize(weights: Reals): number {
  const magnitudes = Array.from(weights, Math.abs)
  const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length
  const least = 0.7 * mean(magnitudes)
  return mean(magnitudes.filter((v) => v > least))
}
