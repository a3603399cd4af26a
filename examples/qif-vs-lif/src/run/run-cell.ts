/** One run: a network from a seed, trained on its budget and tested. A function of settings and data, on any number of threads. */

import type { Digits } from '@he-ml/example-train-spiking-lenet5/data'
import { spikingLenet5 } from '@he-ml/example-train-spiking-lenet5/network'
import type { FloatKernels } from '@he-ml/float-kernels'
import {
  createNetwork,
  type LabelledData,
  type Network,
  randomShift,
  TrainingDivergedError,
  type TrainingProgress,
  type TrainingRecipeInput,
  train,
} from '@he-ml/snn-training'
import type { CellResult } from '../cells/record.ts'
import type { Settings } from '../cells/settings.ts'

export interface RunCellOptions {
  readonly kernels: FloatKernels<Float32Array>
  readonly onProgress?: (progress: TrainingProgress) => void
  readonly signal?: AbortSignal
}

/** Test samples that firing rates are counted over. */
const OBSERVED = 500
const BATCH = 100

/**
 * Trains and tests. The test samples choose nothing: the result is what the last epoch left, and what they say after the
 * other epochs is only drawn.
 *
 * @throws CancelledError when the signal fired
 */
export async function runCell(settings: Settings, data: Digits, options: RunCellOptions): Promise<CellResult> {
  const { neuron, surrogate, timeSteps, inputShape, seed, shift } = settings
  const { kernels, onProgress, signal } = options
  const network = createNetwork(spikingLenet5({ neuron, surrogate, timeSteps, inputShape }), { kernels, seed })
  try {
    const { history } = await train(network, {
      data: data.training,
      validation: data.test,
      recipe: { ...settings.recipe, seed } as TrainingRecipeInput,
      ...(shift > 0 && { augmentation: randomShift(shift) }),
      ...(onProgress && { onProgress }),
      ...(signal && { signal }),
    })
    const last = history.at(-1)!
    const { accuracy, correct, count, loss } = last.validation!
    return {
      kind: 'trained',
      accuracy,
      correct,
      count,
      testLoss: loss,
      loss: last.loss,
      history: history.map((epoch) => ({ ...epoch, validation: epoch.validation! })),
      firingRates: await firingRates(network, data.test),
    }
  } catch (error) {
    if (!(error instanceof TrainingDivergedError)) throw error
    return { kind: 'diverged', message: error.message }
  }
}

/** Spikes per neuron and time step, by layer. */
async function firingRates(network: Network, data: LabelledData): Promise<Record<string, number>> {
  const { steps, shape } = data
  const size = shape.reduce((product, side) => product * side, 1)
  const totals = new Map<string, { spikes: number; chances: number }>()
  const sample = new Float32Array(steps * size)
  for (let start = 0; start < Math.min(OBSERVED, data.count); start += BATCH) {
    const batch = Math.min(BATCH, OBSERVED - start, data.count - start)
    const input = new Float32Array(steps * batch * size)
    for (let n = 0; n < batch; n++) {
      data.read(start + n, sample)
      // time is outermost
      for (let t = 0; t < steps; t++) input.set(sample.subarray(t * size, (t + 1) * size), (t * batch + n) * size)
    }
    await network.forward(
      { data: input, steps, batch, shape },
      {
        observe({ layer, spikes }) {
          const total = totals.get(layer) ?? { spikes: 0, chances: 0 }
          for (let i = 0; i < spikes.length; i++) total.spikes += spikes[i]!
          total.chances += spikes.length
          totals.set(layer, total)
        },
      },
    )
  }
  return Object.fromEntries([...totals].map(([layer, { spikes, chances }]) => [layer, spikes / chances]))
}
