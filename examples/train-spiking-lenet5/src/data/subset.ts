import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { LabelledData } from '@he-ml/snn-training'

/**
 * The first `count` samples; nothing is copied.
 *
 * @throws InvalidArgumentError unless there are so many
 */
export function subset(data: LabelledData, count: number): LabelledData {
  if (!Number.isInteger(count) || count < 1 || count > data.count)
    throw new InvalidArgumentError(`subset: expected 1 to ${data.count} samples, got ${count}`)
  return { count, steps: data.steps, shape: data.shape, label: data.label, read: data.read }
}
