import { UnsupportedError } from '@he-ml/ckks-core'
import type { SlotLayout } from '@he-ml/packing'

/** @throws UnsupportedError for inputs in a channel layout, in which neurons have no circuit */
export function refuseChannels(name: string, inputs: readonly SlotLayout[]): void {
  if (inputs.some(({ kind }) => kind === 'channel'))
    throw new UnsupportedError(
      `layer "${name}" cannot run on a channel layout: pack the input as multiplexed (one image) or batch (image = slot)`,
    )
}
