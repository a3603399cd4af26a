/** A small network, its plan, and the native engine as the server's host. */
import type { EngineHost } from '@he-ml/ckks-core'
import { createNativeEngine, nativeHost } from '@he-ml/ckks-native'
import { createTensor, Model, type Tensor } from '@he-ml/model'
import { activation, flatten, linear } from '@he-ml/nn-layers'
import { type BoundPlan, compileAndBind, fit } from '@he-ml/pipeline'

export const values = (count: number, seed: number): Float64Array =>
  Float64Array.from({ length: count }, (_, i) => Math.sin(seed + 1.7 * i))

export const image = (seed: number): Tensor => createTensor([1, 4, 4], values(16, seed))

/** linear 16 to 8, square, linear 8 to 3. */
export const model = (): Model =>
  new Model({
    name: 'session',
    input: { name: 'image', shape: [1, 4, 4] },
    nodes: [
      { layer: flatten({ name: 'flat' }), inputs: ['image'] },
      {
        layer: linear({
          name: 'one',
          weights: createTensor(
            [8, 16],
            values(128, 1).map((v) => v / 4),
          ),
        }),
        inputs: ['flat'],
      },
      { layer: activation({ name: 'square', function: 'square' }), inputs: ['one'] },
      { layer: linear({ name: 'two', weights: createTensor([3, 8], values(24, 2)) }), inputs: ['square'] },
    ],
  })

export async function bind(): Promise<BoundPlan> {
  const seen = Array.from({ length: 20 }, (_, seed) => image(seed))
  const calibration = await fit(model(), seen)
  return compileAndBind(model(), { packing: 'multiplexed', scaleBits: 40, calibration })
}

/** The native engine on two threads, as a server uses it. */
export const host = ({ parameters }: Pick<BoundPlan, 'parameters'>): EngineHost =>
  nativeHost(createNativeEngine(parameters, { threads: 2 }))
