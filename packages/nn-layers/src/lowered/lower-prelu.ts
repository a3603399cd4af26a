/**
 * x -> sign * core(ratio * x) + linear * x with numbers per channel, where channels share ciphertexts: the ratios take the place of mask
 * and normalisation, at one level, and the linear part is made beside the polynomial. Signs other than 1 take one level more.
 */
import type { PreparedActivation } from '@he-ml/activations'
import { type Ciphertext, type Plaintext, scope, toLevel } from '@he-ml/ckks-core'
import { createLowered, type LoweredLayer, type PrepareContext, type SlotLayout } from '@he-ml/packing'
import { withOwnGaps } from './channel-positions.ts'
import { product } from './lower-activation.ts'
import { liftZeroVector, weightScale } from './unit-weight.ts'
import { valuesOfChannels } from './values-of-channels.ts'

export interface PreluCircuit {
  readonly name: string
  /** For each channel, multiplied into the input first. */
  readonly ratios: Float64Array
  /** Then added. */
  readonly offset: number
  /** For inputs in [-1, 1]. */
  readonly prepared: PreparedActivation
  /** 1, -1 or 0 for each channel. */
  readonly signs: Float64Array
  /** For each channel, of the input as it arrives. */
  readonly linear: Float64Array
  /** The polynomial's value at 0. */
  readonly atZero: number
}

export function lowerPrelu(circuit: PreluCircuit, input: SlotLayout): LoweredLayer {
  const { name, ratios, offset, prepared, signs, linear, atZero } = circuit
  const signed = signs.some((sign) => sign !== 1)
  const isZero = (atZero === 0 || signed) && input.kind !== 'batch'
  return createLowered({
    name,
    inputs: [input],
    output: withOwnGaps(input, isZero ? 'zero' : 'bounded'),
    depth: 1 + prepared.depth + (signed ? 1 : 0),
    prepare: async (context) => {
      const first = encode(ratios, input, context, context.level)
      const last = signed ? encode(signs, input, context, context.level - 1 - prepared.depth) : []
      const beside = linear.some((a) => a !== 0) ? encode(linear, input, context, context.level) : []
      return async ({ engine, inputs, pacer, temporaries }) => {
        const results: Ciphertext[] = []
        for (const [i, x] of inputs[0]!.entries()) {
          await pacer.step()
          const sum = scope((use) => {
            const at = i % first.length
            const scaled = use(product(engine, x, first[at]!, typical(ratios)))
            const curve = use(prepared.apply(engine, offset === 0 ? scaled : use(engine.addScalar(scaled, offset))))
            const turned = last[at] === undefined ? curve : use(product(engine, curve, last[at], 1))
            if (beside[at] === undefined) return engine.dropLevel(turned, turned.level)
            const line = use(product(engine, x, beside[at], typical(linear)))
            return engine.add(turned, use(toLevel(engine, line, turned.level)))
          })
          results.push(temporaries.use(sum))
        }
        return results
      }
    },
  })
}

const typical = (values: Float64Array): number => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length)

/** Factors of each ciphertext of a group for inputs at a level; kept with the layer. */
function encode(
  values: Float64Array,
  layout: SlotLayout,
  { engine, weights }: PrepareContext,
  level: number,
): (Plaintext | number)[] {
  const scale = weightScale(engine.parameters, level)
  return valuesOfChannels(values, layout).map((of) => {
    if (typeof of === 'number') return of || 1 / scale
    const isZero = of instanceof Float64Array && of.every((v) => v === 0)
    return weights.use(engine.encode(isZero ? liftZeroVector(of, scale) : of, { level, scale }))
  })
}
