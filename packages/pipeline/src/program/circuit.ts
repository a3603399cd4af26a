/** A layer's circuit as tasks use it: from tensors to tensors, bound to layouts. */
import type { Encoder, Evaluator, Level, PaceOptions } from '@he-ml/ckks-core'
import type { LoweredLayer, PackedTensor, SlotLayout } from '@he-ml/packing'

/** Bound to layouts; shared by all tasks that do the same with the same weights. */
export interface TaskCircuit {
  readonly name: string
  /** One layout for each result. */
  readonly outputs: readonly SlotLayout[]
  /** Levels consumed. */
  readonly depth: number
  /** Encodes the weights for inputs at a level. @throws CancelledError through the signal; LevelError */
  prepare(
    engine: Encoder & Evaluator,
    at: { readonly level: Level; readonly signal?: AbortSignal },
  ): Promise<PreparedCircuit>
}

/** With its weights encoded; usable many times. */
export interface PreparedCircuit extends Disposable {
  /** One tensor for each result. Inputs are not disposed of. @throws CancelledError, and whatever the engine throws */
  apply(
    engine: Encoder & Evaluator,
    inputs: readonly PackedTensor[],
    pace?: PaceOptions,
  ): Promise<readonly PackedTensor[]>
}

/** A lowered layer as a circuit. */
export function circuitOf(lowered: LoweredLayer): TaskCircuit {
  const { name, output, depth } = lowered
  return {
    name,
    outputs: [output],
    depth,
    async prepare(engine, at) {
      const prepared = await lowered.prepare(engine, at)
      return {
        apply: async (evaluator, inputs, pace) => [await prepared.apply(evaluator, inputs, pace)],
        [Symbol.dispose]: () => prepared.dispose(),
      }
    },
  }
}
