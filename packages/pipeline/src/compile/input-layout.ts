import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { Model } from '@he-ml/model'
import { createBatchLayout, createMultiplexedLayout, type SlotLayout } from '@he-ml/packing'

export type Packing = 'multiplexed' | 'batch'

/** Where the model's input lies, or each of its frames. @throws InvalidArgumentError for a batch that does not fit */
export function inputLayoutFor(model: Model, packing: Packing, batch: number, maxSlots: number): SlotLayout {
  if (packing === 'multiplexed') {
    if (batch !== 1)
      throw new InvalidArgumentError(`multiplexed packing takes one image at a time, got a batch of ${batch}`)
    return createMultiplexedLayout(model.input.shape, { maxSlots })
  }
  if (batch > maxSlots) throw new InvalidArgumentError(`a batch of ${batch} does not fit ${maxSlots} slots`)
  return createBatchLayout(model.input.shape, { slots: batch })
}
