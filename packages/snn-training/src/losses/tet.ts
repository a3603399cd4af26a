import type { Signal } from '../tensor/signal.ts'
import { zerosLike } from '../tensor/signal.ts'
import { type LossResult, softmaxCrossEntropy } from './cross-entropy.ts'

/** Options of {@link temporalEfficientTraining}. */
export interface TetOptions {
  /** Weight of the regularising term, in [0, 1]. */
  readonly lambda: number
  /** What the regularising term pulls every output to, usually the threshold. */
  readonly target: number
}

/**
 * Temporal efficient training (Deng et al., arXiv 2202.11946): the mean over time of the cross entropies of every step's own
 * output, so that each moment learns, (1 - lambda) times; plus lambda times the mean square distance of the outputs from
 * `target`, which holds back outliers.
 */
export function temporalEfficientTraining(
  output: Signal,
  labels: ArrayLike<number>,
  { lambda, target }: TetOptions,
): LossResult {
  const { steps, data } = output
  const size = data.length / steps
  const gradient = zerosLike(data)
  let total = 0
  for (let t = 0; t < steps; t++) {
    const step = softmaxCrossEntropy(data.subarray(t * size, (t + 1) * size), labels)
    total += ((1 - lambda) * step.loss) / steps
    for (let i = 0; i < size; i++) gradient[t * size + i] = ((1 - lambda) * step.gradient[i]!) / steps
  }
  for (let i = 0; i < data.length; i++) {
    const distance = data[i]! - target
    total += (lambda * distance * distance) / data.length
    gradient[i] = gradient[i]! + (2 * lambda * distance) / data.length
  }
  return { loss: total, gradient: { ...output, data: gradient } }
}
