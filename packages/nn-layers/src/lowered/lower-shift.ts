/** Constants per channel added to elements: no level. Gaps are left as they are. */
import type { Ciphertext, LazySlotValues, Plaintext } from '@he-ml/ckks-core'
import {
  type ChannelLayout,
  type CircuitEngine,
  channelCiphertexts,
  createLowered,
  type LoweredLayer,
  layoutPositions,
  type MultiplexedLayout,
  type SlotLayout,
} from '@he-ml/packing'
import { atElements, hasGaps } from './channel-positions.ts'

/** @param shift one for each channel, which is the first dimension of the layout's shape */
export function lowerShift(name: string, shift: Float64Array, input: SlotLayout): LoweredLayer {
  return createLowered({
    name,
    inputs: [input],
    output: input,
    depth: 0,
    prepare: async ({ engine, level, weights, pacer }) => {
      const shifts: (Plaintext | number)[] = []
      for (const values of shiftsOf(shift, input)) {
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

/** What is added to each ciphertext, or to each of a group: a number where all of its slots hold elements of one shift. */
function shiftsOf(shift: Float64Array, layout: SlotLayout): (number | Float64Array | LazySlotValues)[] {
  if (layout.kind === 'batch') {
    const each = layout.ciphertexts / shift.length
    return Array.from({ length: layout.ciphertexts }, (_, i) => shift[Math.floor(i / each)]!)
  }
  return layout.kind === 'channel' ? channelShifts(shift, layout) : multiplexedShifts(shift, layout)
}

function channelShifts(shift: Float64Array, layout: ChannelLayout): (number | LazySlotValues)[] {
  const { image, channelOffsets } = layout
  const perChannel = image[0] / shift.length
  const of = (channel: number): number => shift[Math.floor(channel / perChannel)]!
  return Array.from({ length: channelCiphertexts(image[0], layout) }, (_, i) =>
    channelOffsets.length === 1 && !hasGaps(layout) ? of(i) : atElements(layout, of, i),
  )
}

function multiplexedShifts(shift: Float64Array, layout: MultiplexedLayout): Float64Array[] {
  const { period, slots, ciphertexts } = layout
  const vectors = Array.from({ length: ciphertexts }, () => new Float64Array(period))
  const places = layoutPositions(layout)
  for (const [i, place] of places.entries())
    vectors[Math.floor(place / slots)]![place % slots] = shift[Math.floor((i * shift.length) / places.length)]!
  return vectors
}
