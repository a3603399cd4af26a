/** What all lowered layers share: the check of level and inputs, pacing, and disposal of everything when something fails. */
import { type Ciphertext, type Encoder, type Evaluator, type PaceOptions, Pacer, Scope } from '@he-ml/ckks-core'
import { type LoweredLayer, PackedTensor, type PreparedLayer, type SlotLayout, setErrorsAside } from '@he-ml/packing'
import { checkInputs, checkLevel } from './check-inputs.ts'
import { nameError } from './name-error.ts'

export type Engine = Encoder & Evaluator

/** What a circuit is given. */
interface CircuitContext {
  readonly engine: Engine
  /** Ciphertexts of each input. */
  readonly inputs: readonly (readonly Ciphertext[])[]
  readonly pacer: Pacer
  /** For handles that live through pauses: disposed of when the circuit ends, unless kept. */
  readonly temporaries: Scope
}

/** A layer's arithmetic for one level; results at nominal scale, in the order of the output layout. */
export type Circuit = (context: CircuitContext) => Promise<Ciphertext[]>

export interface PrepareContext {
  readonly engine: Engine
  readonly level: number
  readonly signal?: AbortSignal
  readonly pacer: Pacer
  /** For plaintexts and transforms: disposed of with the prepared layer, or when preparing fails. */
  readonly weights: Scope
}

export interface LoweredDescription {
  readonly name: string
  readonly inputs: readonly SlotLayout[]
  readonly output: SlotLayout
  readonly depth: number
  /**
   * For a linear layer of one input: the factor by which independent errors of its elements arrive at its output's elements,
   * root mean square. Engines that estimate know slots only, and most of those may be empty. Absent: the engine is right.
   */
  readonly errorGain?: number
  /** Encodes what the circuit needs and returns it. */
  readonly prepare: (context: PrepareContext) => Promise<Circuit>
}

/** Makes a LoweredLayer of a description. */
export function createLowered(description: LoweredDescription): LoweredLayer {
  const { name, inputs, output, depth, errorGain } = description
  return {
    name,
    output,
    depth,
    async prepare(engine, { level, signal }) {
      checkLevel(name, level, depth)
      const pace = signal ? { signal } : {}
      const weights = new Scope()
      try {
        const circuit = await description.prepare({ engine, level, weights, pacer: new Pacer(name, pace), ...pace })
        return createPrepared({ name, inputs, output, level, circuit: withErrorGain(circuit, errorGain), weights })
      } catch (error) {
        weights.dispose()
        throw nameError(name, error)
      }
    },
  }
}

interface Prepared {
  readonly name: string
  readonly inputs: readonly SlotLayout[]
  readonly output: SlotLayout
  readonly level: number
  readonly circuit: Circuit
  readonly weights: Scope
}

function createPrepared({ name, inputs, output, level, circuit, weights }: Prepared): PreparedLayer {
  return {
    name,
    async apply(engine: Engine, tensors: readonly PackedTensor[], options: PaceOptions = {}) {
      checkInputs(engine, tensors, { name, layouts: inputs, level })
      const temporaries = new Scope()
      try {
        const pacer = new Pacer(name, options)
        const results = await circuit({ engine, inputs: tensors.map((t) => t.ciphertexts), pacer, temporaries })
        for (const result of results) temporaries.keep(result)
        return new PackedTensor(output, results)
      } catch (error) {
        throw nameError(name, error)
      } finally {
        temporaries.dispose()
      }
    },
    dispose: () => weights.dispose(),
    [Symbol.dispose]: () => weights.dispose(),
  }
}

function withErrorGain(circuit: Circuit, gain: number | undefined): Circuit {
  if (gain === undefined) return circuit
  return async (context) => {
    const errors = setErrorsAside(context.engine, context.inputs.flat())
    try {
      const results = await circuit(context)
      errors?.arriveAt(results, gain)
      return results
    } finally {
      errors?.restore()
    }
  }
}
