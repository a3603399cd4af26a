import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { Reals } from '@he-ml/snn-neurons'
import { type Signal, sumOverTime, zerosLike } from '../tensor/signal.ts'

/** A loss on a network's output over time, averaged over the batch, with its gradient. */
export interface LossResult {
  /** Mean over the batch. */
  readonly loss: number
  /** With respect to the output, [timeSteps, batch, classes]. */
  readonly gradient: Signal
}

/**
 * Cross entropy of softmax(scores): its mean over the rows and the gradient of that.
 *
 * @param scores [labels.length, classes]
 * @param smoothing label smoothing in [0, 1): the target is (1 - smoothing) onehot + smoothing / classes
 */
export function softmaxCrossEntropy(scores: Reals, labels: ArrayLike<number>, smoothing = 0) {
  const rows = labels.length
  const classes = scores.length / rows
  const gradient = zerosLike(scores)
  let loss = 0
  for (let r = 0; r < rows; r++) {
    const label = labels[r]!
    if (!(Number.isInteger(label) && label >= 0 && label < classes))
      throw new InvalidArgumentError(`loss: expected labels in [0, ${classes}), got ${label} at ${r}`)
    const at = r * classes
    let largest = -Infinity
    for (let c = 0; c < classes; c++) largest = Math.max(largest, scores[at + c]!)
    let sum = 0
    for (let c = 0; c < classes; c++) sum += Math.exp(scores[at + c]! - largest)
    const logSum = Math.log(sum)
    for (let c = 0; c < classes; c++) {
      const logProbability = scores[at + c]! - largest - logSum
      const target = (c === label ? 1 - smoothing : 0) + smoothing / classes
      if (target > 0) loss -= target * logProbability
      gradient[at + c] = (Math.exp(logProbability) - target) / rows
    }
  }
  return { loss: loss / rows, gradient }
}

/** Cross entropy of the scores that are the mean over time. */
export function crossEntropy(output: Signal, labels: ArrayLike<number>, smoothing = 0): LossResult {
  const scores = sumOverTime(output, 1).data.map((sum) => sum / output.steps)
  const { loss, gradient } = softmaxCrossEntropy(scores, labels, smoothing)
  const data = zerosLike(output.data)
  for (let i = 0; i < data.length; i++) data[i] = gradient[i % gradient.length]! / output.steps
  return { loss, gradient: { ...output, data } }
}
