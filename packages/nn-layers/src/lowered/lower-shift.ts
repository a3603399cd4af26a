/** Constants per channel added to elements: no level. Gaps are left as they are. */
import type { Ciphertext, LazySlotValues, Plaintext } from '@he-ml/ckks-core'
import { type CircuitEngine, createLowered, type LoweredLayer, type SlotLayout } from '@he-ml/packing'
import { valuesOfChannels } from './values-of-channels.ts'

/** @param shift one for each channel, which is the first dimension of the layout's shape */
export function lowerShift(name: string, shift: Float64Array, input: SlotLayout): LoweredLayer {
  return createLowered({
    name,
    inputs: [input],
    output: input,
    depth: 0,
    prepare: async ({ engine, level, weights, pacer }) => {
      const shifts: (Plaintext | number)[] = []
      for (const values of valuesOfChannels(shift, input)) {
        await pacer.step()
        shifts.push(typeof values === 'number' ? values : weights.use(encode(engine, values, level)))
      }
      return async ({ engine: runner, inputs, pacer: running, temporaries }) => {
        const results: Ciphertext[] = []
        for (const [i, ciphertext] of inputs[0]!.entries()) {
          await running.step()
          const by = shifts[i % shifts.length]!
          const shifted = typeof by === 'number' ? runner.addScalar(ciphertext, by) : runner.addPlain(ciphertext, by)
          results.push(temporaries.use(shifted))
        }
        return results
      }
    },
  })
}

const encode = (engine: CircuitEngine, values: Float64Array | LazySlotValues, level: number): Plaintext =>
  engine.encode(values, { level, scale: engine.parameters.scaleAt(level) })
