/**
 * The larger of two elements that lie a fixed way apart in their image, at every stride-th place: a + relu(b - a). The difference is a
 * rotation and a subtraction (for batches a subtraction), at no level; mask and normalisation take one, where they are needed, and a
 * comes to meet the polynomial masked as well, so gaps are clean.
 */
import type { PreparedActivation } from '@he-ml/activations'
import { type Ciphertext, type Plaintext, scope, toLevel } from '@he-ml/ckks-core'
import type { Shape } from '@he-ml/model'
import {
  type ChannelLayout,
  createLowered,
  type LoweredLayer,
  type MultiplexedLayout,
  type PrepareContext,
  type SlotLayout,
} from '@he-ml/packing'
import { withOwnGaps } from './channel-positions.ts'
import { isFree, multiple, product } from './lower-activation.ts'
import { renameSlots } from './rename-slots.ts'
import { weightScale } from './unit-weight.ts'
import { valuesOfChannels } from './values-of-channels.ts'

export interface PairMaxCircuit {
  readonly name: string
  readonly shape: Shape
  /** Element of the input that is the first of each pair, and the second. */
  readonly firsts: Int32Array
  readonly seconds: Int32Array
  /** How far apart they lie, in rows and columns. */
  readonly apart: readonly [rows: number, columns: number]
  /** Multiplied into the difference; an integer takes no level. */
  readonly inputScale: number
  /** Then added. */
  readonly offset: number
  readonly prepared: PreparedActivation
  /** Multiplied into the first. */
  readonly linear: number
  /** The polynomial's value at 0. */
  readonly atZero: number
}

export function lowerPairMax(circuit: PairMaxCircuit, input: SlotLayout): LoweredLayer {
  return input.kind === 'batch' ? inBatch(circuit, input) : inPlace(circuit, input)
}

/** Two elements of a batch are two ciphertexts. */
function inBatch(circuit: PairMaxCircuit, input: Extract<SlotLayout, { kind: 'batch' }>): LoweredLayer {
  const { name, shape, firsts, seconds, inputScale, offset, prepared, linear } = circuit
  const extra = isFree(inputScale) ? 0 : 1
  return createLowered({
    name,
    inputs: [input],
    output: { ...input, shape, ciphertexts: firsts.length },
    depth: prepared.depth + extra,
    reads: (elements) => [...new Set(elements.flatMap((e) => [firsts[e]!, seconds[e]!]))].sort((a, b) => a - b),
    prepare:
      async () =>
      async ({ engine, inputs, only, pacer, temporaries }) => {
        const results: Ciphertext[] = []
        for (const element of only ?? firsts.keys()) {
          await pacer.step()
          const [a, b] = [inputs[0]![firsts[element]!]!, inputs[0]![seconds[element]!]!]
          const result = scope((use) => {
            const difference = use(engine.sub(b, a))
            const scaled = extra
              ? use(product(engine, difference, inputScale, inputScale))
              : multiple(engine, difference, inputScale, use)
            const curve = use(prepared.apply(engine, offset === 0 ? scaled : use(engine.addScalar(scaled, offset))))
            const line = linear === 1 ? a : use(product(engine, a, linear, linear))
            return engine.add(curve, use(toLevel(engine, line, curve.level)))
          })
          results[element] = temporaries.use(result)
        }
        return results
      },
  })
}

function inPlace(circuit: PairMaxCircuit, input: MultiplexedLayout | ChannelLayout): LoweredLayer {
  const { name, shape, firsts, inputScale, offset, prepared, linear, atZero } = circuit
  const { output, ciphertexts } = renameSlots({ name, shape, sources: firsts }, input)
  const steps = stepsOf(circuit.apart, input)
  return createLowered({
    name,
    inputs: [input],
    output: withOwnGaps(output, atZero === 0 ? 'zero' : 'bounded'),
    depth: prepared.depth + 1,
    prepare: async (context) => {
      const first = masks(inputScale, output, context)
      const beside = linear === inputScale ? first : masks(linear, output, context)
      return async ({ engine, inputs, pacer, temporaries }) => {
        const results: Ciphertext[] = []
        for (const [i, source] of ciphertexts.entries()) {
          await pacer.step()
          const a = inputs[0]![source]!
          const result = scope((use) => {
            const difference = use(engine.sub(use(engine.rotate(a, steps)), a))
            const scaled = use(product(engine, difference, first[i % first.length]!, inputScale))
            const curve = use(prepared.apply(engine, offset === 0 ? scaled : use(engine.addScalar(scaled, offset))))
            const line = use(product(engine, a, beside[i % beside.length]!, linear))
            return engine.add(curve, use(toLevel(engine, line, curve.level)))
          })
          results.push(temporaries.use(result))
        }
        return results
      }
    },
  })
}

function stepsOf([rows, columns]: PairMaxCircuit['apart'], layout: MultiplexedLayout | ChannelLayout): number {
  if (layout.kind === 'multiplexed') return rows * layout.grid.rowStride + columns * layout.grid.columnStride
  return (rows * layout.rowStride + columns * layout.columnStride) * layout.images
}

/** A factor at every element and zero in gaps, for each ciphertext of a group; a number where there are no gaps. */
function masks(factor: number, layout: SlotLayout, { engine, level, weights }: PrepareContext): (Plaintext | number)[] {
  const scale = weightScale(engine.parameters, level)
  const same = new Float64Array(layout.shape[0]!).fill(factor)
  return valuesOfChannels(same, layout).map((of) =>
    typeof of === 'number' ? of : weights.use(engine.encode(of, { level, scale })),
  )
}
