import type { Reals } from '@he-ml/snn-neurons'
import type { Loss } from '../losses/loss.ts'
import { meanOverTime, type Network } from '../network/network.ts'
import { BatchCollector, type LabelledData } from './data.ts'

/** How well a network does on data it is not being trained on. */
export interface Evaluation {
  /** Mean over the samples. */
  readonly loss: number
  /** Share of samples whose highest score is that of their label. */
  readonly accuracy: number
  /** Samples that were answered rightly. */
  readonly correct: number
  /** Samples that were evaluated. */
  readonly count: number
}

/** Number of samples whose highest score (the first of equal ones) is that of their label. */
export function countCorrect(scores: Reals, labels: ArrayLike<number>): number {
  const classes = scores.length / labels.length
  let correct = 0
  for (let n = 0; n < labels.length; n++) {
    let best = 0
    for (let c = 1; c < classes; c++) if (scores[n * classes + c]! > scores[n * classes + best]!) best = c
    if (best === labels[n]) correct++
  }
  return correct
}

/** Runs all samples in inference, in order. */
export async function evaluate(
  network: Network,
  data: LabelledData,
  { loss, batchSize = 64 }: { readonly loss: Loss; readonly batchSize?: number },
): Promise<Evaluation> {
  const batches = new BatchCollector(data, network.precision)
  let [total, correct] = [0, 0]
  for (let start = 0; start < data.count; start += batchSize) {
    const indices = Array.from({ length: Math.min(batchSize, data.count - start) }, (_, i) => start + i)
    const { input, labels } = batches.collect(indices)
    const output = await network.forward(input)
    total += loss(output, labels).loss * indices.length
    correct += countCorrect(meanOverTime(output), labels)
  }
  return { loss: total / data.count, accuracy: correct / data.count, correct, count: data.count }
}
