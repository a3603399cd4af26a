import type { ChannelSizes } from '@he-ml/float-kernels'
import { sizeOf } from '@he-ml/model'
import type { Signal } from '../tensor/signal.ts'

/** A signal as channel tasks see it: time and batch are images. */
export const channelSizesOf = ({ steps, batch, shape }: Signal): ChannelSizes => ({
  images: steps * batch,
  channels: shape[0]!,
  positions: sizeOf(shape.slice(1)),
})
