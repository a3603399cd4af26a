/** Window sums in place: rotate-and-add along rows, then along columns; no level. Gaps are left with other windows' sums. */
import { type Ciphertext, innerSum } from '@he-ml/ckks-core'
import type { Shape } from '@he-ml/model'
import { createLowered, type LoweredLayer, type MultiplexedLayout } from '@he-ml/packing'
import type { Window } from '../linear-map/linear-map.ts'

export interface SumPool {
  readonly name: string
  readonly outputShape: Shape
  /** Without padding or dilation. */
  readonly window: Window
}

export function lowerSumPool({ name, outputShape, window }: SumPool, input: MultiplexedLayout): LoweredLayer {
  const { rowStride, columnStride } = input.grid
  const output: MultiplexedLayout = {
    ...input,
    shape: outputShape,
    grid: {
      ...input.grid,
      rowStride: rowStride * window.stride[0],
      columnStride: columnStride * window.stride[1],
      gaps: window.kernel[0] * window.kernel[1] === 1 ? input.grid.gaps : 'any',
    },
  }
  return createLowered({
    name,
    inputs: [input],
    output,
    depth: 0,
    prepare:
      async () =>
      async ({ engine, inputs, pacer, temporaries }) => {
        const results: Ciphertext[] = []
        for (const ciphertext of inputs[0]!) {
          await pacer.step()
          const across = temporaries.use(
            innerSum(engine, ciphertext, { count: window.kernel[1], stride: columnStride }),
          )
          results.push(temporaries.use(innerSum(engine, across, { count: window.kernel[0], stride: rowStride })))
          across.dispose()
        }
        return results
      },
  })
}
