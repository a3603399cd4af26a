/** x^2, slot by slot: exact, one level, nothing to calibrate. */
import { type Ciphertext, scope } from '@he-ml/ckks-core'
import type { FloatBatch, FloatKernels, FloatLayer } from '@he-ml/float-kernels'
import { createTensor, type Layer, type Shape, type Tensor } from '@he-ml/model'
import { createLowered, gapsOf, type Lowerable, type LoweredLayer, type SlotLayout } from '@he-ml/packing'
import { squareBatch } from '../floats/elementwise.ts'
import { withOwnGaps } from '../lowered/channel-positions.ts'
import { only } from './single-input.ts'

/** See {@link activation}. */
export class SquareLayer implements Layer, FloatLayer, Lowerable {
  readonly kind = 'square'
  readonly arity = 1
  readonly name: string
  constructor(name: string) {
    this.name = name
  }

  digestParts(): readonly Uint8Array[] {
    return []
  }
  outputShape(inputs: readonly Shape[]): Shape {
    return only(this.name, inputs)
  }
  forward(inputs: readonly Tensor[]): Tensor {
    const { shape, data } = only(this.name, inputs)
    return createTensor(
      shape,
      data.map((v) => v * v),
    )
  }
  async forwardFloat(_: FloatKernels<Float32Array>, inputs: readonly FloatBatch[]): Promise<FloatBatch> {
    return squareBatch(only(this.name, inputs))
  }
  lower(inputs: readonly SlotLayout[]): LoweredLayer {
    const input = only(this.name, inputs)
    const output = gapsOf(input) === 'bounded' ? withOwnGaps(input, 'any') : input
    return createLowered({
      name: this.name,
      inputs: [input],
      output,
      depth: 1,
      prepare:
        async () =>
        async ({ engine, inputs, pacer, temporaries }) => {
          const squares: Ciphertext[] = []
          for (const x of inputs[0]!) {
            await pacer.step()
            const square = scope((use) => engine.relinearizeRescale(use(engine.square(x))))
            squares.push(temporaries.use(square))
          }
          return squares
        },
    })
  }
}
