/** What all lowered layers share: the check of level and inputs, pacing, and disposal of everything when something fails. */
import { type Ciphertext, type Encoder, type Evaluator, InvalidArgumentError, Pacer, Scope } from '@he-ml/ckks-core'
import { checkInputs, checkLevel } from './check-inputs.ts'
import { setErrorsAside } from './element-errors.ts'
import type {
  ApplyOptions,
  LayerRefresh,
  LoweredLayer,
  PreparedLayer,
  RefreshCircuit,
  SomeOptions,
} from './lowered-contract.ts'
import { nameError } from './name-error.ts'
import { PackedTensor } from './packed-tensor.ts'
import type { SlotLayout } from './slot-layout.ts'

/** What a circuit runs on. */
export type CircuitEngine = Encoder & Evaluator

/** What a circuit is given. */
export interface CircuitContext {
  /** What computes. */
  readonly engine: CircuitEngine
  /** Ciphertexts of each input; with `only`, those that these elements are made of. */
  readonly inputs: readonly (readonly Ciphertext[])[]
  /**
   * Of a layer with `LoweredLayer.reads`: the elements that are wanted of each result, in ascending order; other places of the lists of
   * results are left out. Absent: all.
   */
  readonly only?: readonly number[]
  /** For long loops: it lets the event loop turn, and throws where the caller has cancelled. */
  readonly pacer: Pacer
  /** What the circuit is run with, for circuits that run others. */
  readonly options: ApplyOptions
  /** For handles that live through pauses: disposed of when the circuit ends, unless they are results. */
  readonly temporaries: Scope
  /** The circuit that the layer asked for; throws where it asked for none or was given none. */
  readonly refresh: () => RefreshCircuit
}

/** A layer's arithmetic for one level; results at nominal scale, in the order of the output layout. */
export type Circuit = (context: CircuitContext) => Promise<readonly Ciphertext[]>

/** The same with several outputs: results for each of them. */
export type MultiOutputCircuit = (context: CircuitContext) => Promise<readonly (readonly Ciphertext[])[]>

/** What preparing a circuit is given. */
export interface PrepareContext {
  /** What encodes. */
  readonly engine: CircuitEngine
  /** At which the inputs will be read. */
  readonly level: number
  /** Whether diagonals of transforms are better kept as coefficients: see `EncodeOptions.deferred` of ckks-core. */
  readonly deferred: boolean
  /** Stops preparing with CancelledError. */
  readonly signal?: AbortSignal
  /** For long loops: it lets the event loop turn, and throws where the caller has cancelled. */
  readonly pacer: Pacer
  /** For plaintexts and transforms: disposed of with the prepared layer, or when preparing fails. */
  readonly weights: Scope
}

interface Described<C> {
  /** The layer's name, for errors. */
  readonly name: string
  /** Where the elements of each input lie. */
  readonly inputs: readonly SlotLayout[]
  /** Levels that the circuit takes; of one that refreshes, before the refresh. */
  readonly depth: number
  /** See `LoweredLayer`: its circuit heeds `CircuitContext.only`. */
  readonly reads?: LoweredLayer['reads']
  /** Encodes what the circuit needs and returns it. */
  readonly prepare: (context: PrepareContext) => Promise<C>
}

/** What {@link createLowered} makes a layer of. */
export interface LoweredDescription extends Described<Circuit> {
  /** Where the elements of its result lie. */
  readonly output: SlotLayout
  /**
   * For a linear layer of one input: the factor by which independent errors of its elements arrive at its output's elements,
   * root mean square. Engines that estimate know slots only, and most of those may be empty. Absent: the engine is right.
   */
  readonly errorGain?: number
}

/** What {@link createMultiOutputLowered} makes a layer of. */
export interface MultiOutputLoweredDescription extends Described<MultiOutputCircuit> {
  /** Where the elements of each result lie. */
  readonly outputs: readonly SlotLayout[]
  /** Of a layer that refreshes what it computes. */
  readonly refresh?: LayerRefresh
}

/** Makes a LoweredLayer with one output of a description. */
export function createLowered(description: LoweredDescription): LoweredLayer {
  const { output, errorGain, prepare, ...rest } = description
  return createMultiOutputLowered({
    ...rest,
    outputs: [output],
    prepare: async (context) => {
      const circuit = withErrorGain(await prepare(context), errorGain)
      return async (given) => [await circuit(given)]
    },
  })
}

/** Makes a LoweredLayer with any number of outputs. */
export function createMultiOutputLowered(description: MultiOutputLoweredDescription): LoweredLayer {
  const { name, inputs, outputs, depth, refresh, reads } = description
  return {
    name,
    outputs,
    depth,
    ...(refresh ? { refresh } : {}),
    ...(reads ? { reads } : {}),
    async prepare(engine, { level, signal, deferred = false }) {
      checkLevel(name, level, depth)
      const pace = signal ? { signal } : {}
      const weights = new Scope()
      try {
        const circuit = await description.prepare({
          engine,
          level,
          deferred,
          weights,
          pacer: new Pacer(name, pace),
          ...pace,
        })
        return createPrepared({ name, inputs, outputs, level, circuit, weights, inParts: reads !== undefined })
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
  readonly outputs: readonly SlotLayout[]
  readonly level: number
  readonly circuit: MultiOutputCircuit
  readonly weights: Scope
  /** Whether it can be asked for some elements alone. */
  readonly inParts: boolean
}

function createPrepared({ name, inputs, outputs, level, circuit, weights, inParts }: Prepared): PreparedLayer {
  const run = async (given: Pick<CircuitContext, 'engine' | 'inputs' | 'only'>, options: ApplyOptions) => {
    const temporaries = new Scope()
    try {
      const pacer = new Pacer(name, options)
      const refresh = () => options.refresh ?? missing(name)
      const results = await circuit({ ...given, pacer, options, temporaries, refresh })
      for (const result of results.flat()) if (result) temporaries.keep(result)
      return results
    } catch (error) {
      throw nameError(name, error)
    } finally {
      temporaries.dispose()
    }
  }
  return {
    name,
    async apply(engine: CircuitEngine, tensors: readonly PackedTensor[], options: ApplyOptions = {}) {
      checkInputs(engine, tensors, { name, layouts: inputs, level })
      const results = await run({ engine, inputs: tensors.map((t) => t.ciphertexts) }, options)
      return outputs.map((layout, i) => new PackedTensor(layout, results[i]!))
    },
    ...(inParts
      ? {
          applySome: (engine: CircuitEngine, ciphertexts: readonly (readonly Ciphertext[])[], some: SomeOptions) =>
            run({ engine, inputs: ciphertexts, only: some.only }, some),
        }
      : {}),
    dispose: () => weights.dispose(),
    [Symbol.dispose]: () => weights.dispose(),
  }
}

function missing(name: string): never {
  throw new InvalidArgumentError(`layer "${name}": its circuit refreshes, and was given no functional bootstrapping`)
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
