/** What the gradient tests of this package share: random signals and central finite differences in double precision. */

import { sizeOf } from '@he-ml/model'
import type { NetworkRecipe } from '@he-ml/model/spiking'
import { logisticSpike, type Neuron, type Reals } from '@he-ml/snn-neurons'
import { createNetwork, type ForwardOptions, type NetworkOptions } from './network/network.ts'
import { RandomStream } from './random/random-stream.ts'
import type { Signal } from './tensor/signal.ts'

/** Normal values. */
export function normals(length: number, seed: number, deviation = 1): Float64Array {
  const random = new RandomStream(seed)
  return Float64Array.from({ length }, () => deviation * random.normal())
}

export const randomSignal = (steps: number, batch: number, shape: readonly number[], seed: number): Signal => ({
  data: normals(steps * batch * sizeOf(shape), seed),
  steps,
  batch,
  shape,
})

/** Central differences with steps h and h / 2, extrapolated: error O(h^4). */
export async function derivative(f: (x: number) => Promise<number>, x: number, h = 1e-3): Promise<number> {
  const at = async (s: number) => ((await f(x + s)) - (await f(x - s))) / (2 * s)
  return (4 * (await at(h / 2)) - (await at(h))) / 3
}

/** |got - want| relative to the larger of |want| and a thousandth of the largest gradient (differences have noise). */
export const relativeError = (got: number, want: number, largest: number): number =>
  Math.abs(got - want) / Math.max(Math.abs(want), 1e-3 * largest, 1e-12)

/** A smooth step in every neuron, so that finite differences see what backpropagation says. */
export const smooth: NetworkOptions = {
  precision: 'float64',
  seed: 5,
  spikeFunction: (neuron: Neuron) => logisticSpike(neuron.threshold, 0.3),
}

/** Every parameter moved away from its special initial value (0 or 1). */
export function perturbed(recipe: NetworkRecipe, options: NetworkOptions = smooth) {
  const network = createNetwork(recipe, options)
  for (const [index, { value }] of network.state.entries()) {
    const noise = normals(value.length, 100 + index, 0.2)
    for (let i = 0; i < value.length; i++)
      value[i] = Math.abs(value[i]!) < 1e-9 ? noise[i]! : value[i]! * (1 + noise[i]! / 4)
  }
  return network
}

/**
 * Largest relative error of all parameter gradients, for the loss sum(output * fixed random weights). The first layer's
 * input gradient is covered by putting a layer with parameters before the one under test.
 */
export async function worstGradientError(
  recipe: NetworkRecipe,
  input: Signal,
  forward: ForwardOptions = {},
): Promise<number> {
  const network = perturbed(recipe)
  const before = network.statistics.map(({ value }) => value.slice())
  const run = async () => {
    for (const [i, { value }] of network.statistics.entries()) value.set(before[i]!)
    return network.forward(input, { training: true, ...forward })
  }
  const output = await run()
  const weights = normals(output.data.length, 9)
  await network.backward({ ...output, data: weights })
  const got = network.parameters.map(({ gradient }) => gradient.slice())
  const loss = async () => {
    const { data } = await run()
    return weights.reduce((sum, weight, i) => sum + weight * data[i]!, 0)
  }
  const magnitude = (values: Reals) => Math.max(...Array.from(values, Math.abs))
  // a bias before a normalisation has gradient 0: there only the differences' rounding would be compared
  const floor = 1e-3 * Math.max(...got.map(magnitude))
  let worst = 0
  for (const [index, { value }] of network.parameters.entries()) {
    const largest = Math.max(magnitude(got[index]!), floor)
    for (let i = 0; i < value.length; i++) {
      const saved = value[i]!
      const want = await derivative(async (x) => {
        value[i] = x
        return loss()
      }, saved)
      value[i] = saved
      worst = Math.max(worst, relativeError(got[index]![i]!, want, largest))
    }
  }
  return worst
}
