/** Which packings a plan may have. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { nextPowerOfTwo } from '@he-ml/packing'
import type { Packing } from './input-layout.ts'
import type { CompileOptions } from './options.ts'
import type { TileGroups } from './tiling.ts'

/** Options with the packing decided. */
export type PackedOptions = CompileOptions & { readonly packing: Packing; readonly tile?: TileGroups }

/** One of the ways. */
export interface PackingChoice extends Pick<PackedOptions, 'packing' | 'batch' | 'tile'> {
  /** Only where there was too little memory for what was tried before: it takes longer. */
  readonly forMemory?: true
}

/**
 * What is tried, in this order. One image at a time is for one image: of several it would take as many times as long. Of many images a
 * channel in a ciphertext suits deep networks, and image = slot small ones, which have few elements and no refreshes.
 *
 * @param rank dimensions of the model's input
 * @throws InvalidArgumentError for a packing that there is not
 */
export function packingsFor({ packing = 'auto', batch }: CompileOptions, rank = 3): PackingChoice[] {
  if (!PACKINGS.includes(packing))
    throw new InvalidArgumentError(`packing: expected one of ${PACKINGS.join(', ')}, got ${JSON.stringify(packing)}`)
  const images = batch === undefined ? {} : { batch }
  const channel: PackingChoice[] = [
    { packing: 'channel', ...images },
    { packing: 'channel', ...images, tile: 1, forMemory: true },
  ]
  if (packing === 'channel') return channel
  if (packing !== 'auto') return [{ packing, ...images }]
  if (batch === undefined || batch === 1) return [{ packing: 'multiplexed', batch: 1 }]
  const isNumber = Number.isInteger(batch) && batch > 0
  // what has no rows and columns has no channels either
  return [...(rank === 3 ? channel : []), { packing: 'batch', batch: isNumber ? nextPowerOfTwo(batch) : batch }]
}

const PACKINGS: readonly string[] = ['auto', 'multiplexed', 'batch', 'channel']
