/** Square windows over planes, as both poolings walk them. */
import { outputSize } from '../kernels/float-kernels.ts'
import type { PoolDescription } from '../network/description.ts'
import type { Shape } from '../tensor/signal.ts'

/** [channels, height, width] after pooling. */
export function pooledShape({ kernel, stride }: PoolDescription, [channels, height, width]: Shape): Shape {
  return [channels!, outputSize(height!, kernel, stride, 0), outputSize(width!, kernel, stride, 0)]
}

/** Calls `visit` with the index of every result and of the upper left corner of its window. */
export function forEachWindow(
  description: PoolDescription,
  shape: Shape,
  planes: number,
  visit: (result: number, corner: number) => void,
): void {
  const [, height, width] = shape as [number, number, number]
  const [, rows, columns] = pooledShape(description, shape) as [number, number, number]
  const { stride } = description
  let result = 0
  for (let plane = 0; plane < planes; plane++)
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++)
        visit(result++, (plane * height + row * stride) * width + column * stride)
}
