/** Grids of weights and biases; see float-kernels for those of membranes. */
import type { Reals } from '@he-ml/float-kernels'
import type { Grid } from '@he-ml/model/spiking'

/** Grid of a layer's weights. */
export interface WeightGrid extends Grid {
  /** Step of the biases; default that of the weights. */
  readonly biasStep?: number | undefined
}

/** Biases are sums: rounded like weights, but to as many points as they need. */
export function roundBias(values: Reals, { step, biasStep = step }: WeightGrid): Reals {
  return values.map((value) => Math.floor(value / biasStep + 0.5) * biasStep)
}
