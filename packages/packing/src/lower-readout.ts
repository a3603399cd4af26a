/** The sum over time steps: additions, no level; a mean that could not be folded away costs one for its factor. */
import { type Ciphertext, UnsupportedError } from '@he-ml/ckks-core'
import type { ReadoutLayer } from '@he-ml/model'
import { createLowered } from './create-lowered.ts'
import { gapsOf, withGaps } from './gaps-of.ts'
import { liesAlike } from './layout-positions.ts'
import type { LoweredLayer } from './lowered-contract.ts'
import type { SlotLayout } from './slot-layout.ts'

/** @throws UnsupportedError when the steps' results do not lie alike */
export function lowerReadout(layer: ReadoutLayer, inputs: readonly SlotLayout[]): LoweredLayer {
  const { name, readout, arity } = layer
  layer.outputShape(inputs.map(({ shape }) => shape))
  const [first] = inputs as [SlotLayout]
  if (!inputs.every((layout) => liesAlike(layout, first)))
    throw new UnsupportedError(
      `layer "${name}": the results of the time steps lie in different slots, expected one layout: use the batch layout`,
    )
  return createLowered({
    name,
    inputs,
    output: sumLayout(first, inputs),
    depth: readout === 'mean' ? 1 : 0,
    prepare:
      async () =>
      async ({ engine, inputs: given, pacer, temporaries }) => {
        const results: Ciphertext[] = []
        for (let i = 0; i < first.ciphertexts; i++) {
          await pacer.step()
          const total = temporaries.use(engine.sum(given.map((ciphertexts) => ciphertexts[i]!)))
          if (readout === 'sum') results.push(total)
          else {
            const mean = temporaries.use(engine.mulScalar(total, 1 / arity))
            results.push(temporaries.use(engine.rescale(mean)))
          }
        }
        return results
      },
  })
}

/** Zeros stay zeros; values within a range add up beyond it. */
function sumLayout(first: SlotLayout, inputs: readonly SlotLayout[]): SlotLayout {
  return withGaps(first, inputs.every((layout) => gapsOf(layout) === 'zero') ? 'zero' : 'any')
}
