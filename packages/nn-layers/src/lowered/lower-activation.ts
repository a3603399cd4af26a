import type { PreparedActivation } from '@he-ml/activations'
import { type Ciphertext, type Plaintext, scope } from '@he-ml/ckks-core'
import {
  type CircuitEngine,
  createLowered,
  gapsOf,
  type LoweredLayer,
  layoutPositions,
  type SlotLayout,
  setErrorsAside,
} from '@he-ml/packing'
import { masksAt, withOwnGaps } from './channel-positions.ts'
import { weightScale } from './unit-weight.ts'

export interface ActivationCircuit {
  readonly name: string
  /** Multiplied into the input first; an integer takes no level. */
  readonly inputScale: number
  /** Then added: moves the middle of the range to 0. */
  readonly offset: number
  /** For inputs in [-1, 1]. */
  readonly prepared: PreparedActivation
  /** In its place for single ciphertexts, with as many operations and levels. */
  readonly own?: (ciphertext: number) => PreparedActivation
  /** The polynomial's value at 0, which is what clean gaps come to hold. */
  readonly atZero: number
}

/** Mask or normalisation (one level, if any is needed), then the polynomial on every ciphertext. */
export function lowerActivation(activation: ActivationCircuit, input: SlotLayout): LoweredLayer {
  const { name, inputScale, offset, prepared, own } = activation
  const masked = gapsOf(input) === 'any'
  const extra = masked || !isFree(inputScale) ? 1 : 0
  return createLowered({
    name,
    inputs: [input],
    output: outputOf(activation, input, masked),
    depth: prepared.depth + extra,
    prepare: async ({ engine, level, weights }) => {
      const masks = masked ? encodeMasks(input, inputScale, engine, level) : []
      for (const mask of new Set(masks)) weights.use(mask)
      return async ({ engine, inputs, pacer, temporaries }) => {
        const results: Ciphertext[] = []
        for (const [i, x] of inputs[0]!.entries()) {
          await pacer.step()
          const result = scope((use) => {
            const scaled = extra
              ? use(product(engine, x, masks[i] ?? inputScale, inputScale))
              : multiple(engine, x, inputScale, use)
            const unit = offset === 0 ? scaled : use(engine.addScalar(scaled, offset))
            // estimates are of what all channels have in common: one prediction for all
            const circuit = engine.estimate?.(x) ? prepared : (own?.(i) ?? prepared)
            return circuit.apply(engine, unit)
          })
          results.push(temporaries.use(result))
        }
        return results
      }
    },
  })
}

/** Positive integers are sums of the input with itself. */
export const isFree = (scale: number): boolean => Number.isInteger(scale) && scale > 0

/** Times a mask or a factor, rescaled. @param gain by which errors arrive at the elements */
export function product(engine: CircuitEngine, x: Ciphertext, by: Plaintext | number, gain: number): Ciphertext {
  const errors = setErrorsAside(engine, [x])
  try {
    const result = scope((use) =>
      engine.rescale(use(typeof by === 'number' ? engine.mulScalar(x, by) : engine.mulPlain(x, by))),
    )
    errors?.arriveAt([result], gain)
    return result
  } finally {
    errors?.restore()
  }
}

export const multiple = (
  engine: CircuitEngine,
  x: Ciphertext,
  scale: number,
  use: <T extends Disposable>(value: T) => T,
): Ciphertext => (scale === 1 ? x : use(engine.mulInteger(x, scale)))

function outputOf({ atZero, own }: ActivationCircuit, input: SlotLayout, masked: boolean): SlotLayout {
  const isZero = !own && atZero === 0 && (masked || gapsOf(input) === 'zero')
  return withOwnGaps(input, isZero ? 'zero' : 'bounded')
}

/** One per ciphertext; channels share theirs. */
function encodeMasks(layout: SlotLayout, value: number, engine: CircuitEngine, level: number): readonly Plaintext[] {
  const scale = weightScale(engine.parameters, level)
  if (layout.kind === 'channel') return masksAt(layout, value, (values) => engine.encode(values, { level, scale }))
  const period = layout.kind === 'multiplexed' ? layout.period : layout.slots
  const vectors = Array.from({ length: layout.ciphertexts }, () => new Float64Array(period))
  for (const place of layoutPositions(layout)) vectors[Math.floor(place / layout.slots)]![place % layout.slots] = value
  return vectors.map((values) => engine.encode(values, { level, scale }))
}
