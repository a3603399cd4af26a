import { UnsupportedError } from '@he-ml/ckks-core'
import type { SlotLayout } from '@he-ml/packing'

/** For a layer that has no circuit on a layout. */
export function unsupportedLayout(name: string, input: SlotLayout | undefined): UnsupportedError {
  return new UnsupportedError(
    `layer "${name}" cannot run on a ${input?.kind ?? 'missing'} layout: pack the input as multiplexed (one image), channel or batch (many images)`,
  )
}
