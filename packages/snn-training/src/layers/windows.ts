/** Square windows over planes, as both poolings see them. */

import type { PoolSizes } from '@he-ml/float-kernels'
import { outputSize } from '@he-ml/float-kernels'
import type { Shape } from '@he-ml/model'
import type { PoolDescription } from '@he-ml/model/spiking'
import type { Signal } from '../tensor/signal.ts'

/** [channels, height, width] after pooling. */
export function pooledShape({ kernel, stride }: PoolDescription, [channels, height, width]: Shape): Shape {
  return [channels!, outputSize(height!, kernel, stride, 0), outputSize(width!, kernel, stride, 0)]
}

/** A signal as pooling tasks see it: every channel at every time step is a plane. */
export function poolSizesOf({ kernel, stride }: PoolDescription, { steps, batch, shape }: Signal): PoolSizes {
  const [channels, height, width] = shape as [number, number, number]
  return { planes: steps * batch * channels, height, width, kernel, stride }
}
