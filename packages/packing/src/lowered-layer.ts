/**
 * The lowered contract: what a clear layer (model) must add to run on ciphertexts. A LoweredLayer knows what it costs (depth)
 * and where its output lies; preparing it encodes the weights for a level; a PreparedLayer is a circuit on the port. Keys,
 * products and rotations are never declared: the plan engine runs the very same circuit and records them. At every layer
 * border ciphertexts have degree 1 and the nominal scale of their level.
 */
import { type Encoder, type Evaluator, type Level, type PaceOptions, UnsupportedError } from '@he-ml/ckks-core'
import type { Layer } from '@he-ml/model'
import type { PackedTensor } from './packed-tensor.ts'
import type { SlotLayout } from './slot-layout.ts'

/** What a layer needs beside its clear contract to run encrypted. */
export interface Lowerable {
  /** @throws UnsupportedError when the layer cannot run on this layout; the message says which one would do */
  lower(inputs: readonly SlotLayout[], context: LowerContext): LoweredLayer
}

/** A clear layer that knows its encrypted twin. */
export type LowerableLayer = Layer & Lowerable

export const isLowerable = (layer: Layer): layer is LowerableLayer => 'lower' in layer

/** Lowers a layer, whatever its kind. @throws UnsupportedError naming a layer that has no encrypted twin */
export function lowerLayer(layer: Layer, inputs: readonly SlotLayout[], context: LowerContext): LoweredLayer {
  if (isLowerable(layer)) return layer.lower(inputs, context)
  throw new UnsupportedError(
    `layer "${layer.name}" (${layer.kind}) has no encrypted form: expected a layer with a method lower, got one that only computes in the clear: put a layer of nn-layers or snn-layers in its place`,
  )
}

/** What lowering may depend on beside its inputs' layouts. */
export interface LowerContext {
  /** N/2 of the parameters. */
  readonly maxSlots: number
  /**
   * What a reader of the output bears in slots without an element; default 'zero'. 'any' allows cheaper circuits that leave
   * partial sums there; see `gapsWanted`.
   */
  readonly gaps?: 'zero' | 'any'
  /** Take this output layout if at no extra depth (the other branch of a residual addition). */
  readonly prefer?: SlotLayout
}

/** A layer bound to layouts. */
export interface LoweredLayer {
  readonly name: string
  readonly output: SlotLayout
  /** Levels consumed. */
  readonly depth: number
  /**
   * Encodes the weights for inputs at `level` (nominal scale). Long work yields to the event loop.
   * @throws whatever encoding throws; CancelledError through the signal; LevelError when level < depth
   */
  prepare(
    engine: Encoder & Evaluator,
    at: { readonly level: Level; readonly signal?: AbortSignal },
  ): Promise<PreparedLayer>
}

/** A circuit with its weights encoded; usable many times. */
export interface PreparedLayer extends Disposable {
  readonly name: string
  /**
   * Inputs at the prepared level and nominal scale; the output is at level - depth and nominal scale. Inputs are not
   * disposed of. A layer may make thousands of evaluator calls, so it pauses between them (docs/adr/0002): the promise
   * resolves when all calls are made, which is not when the engine is done.
   * @throws CancelledError through options.signal; temporaries are then disposed of
   */
  apply(evaluator: Encoder & Evaluator, inputs: readonly PackedTensor[], options?: PaceOptions): Promise<PackedTensor>
  dispose(): void
}
