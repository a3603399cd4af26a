/**
 * The lowered contract: what a clear layer (model) must add to run on ciphertexts. A LoweredLayer knows what it costs (depth)
 * and where its outputs lie; preparing it encodes the weights for a level; a PreparedLayer is a circuit on the port. Keys,
 * products and rotations are never declared: the plan engine runs the very same circuit and records them. At every layer
 * border ciphertexts have degree 1 and the nominal scale of their level.
 */
import type {
  Ciphertext,
  Encoder,
  Evaluator,
  GridFunction,
  Level,
  PaceOptions,
  PreparedFunctionalBootstrapping,
  SlotContent,
  Slots,
} from '@he-ml/ckks-core'
import type { GraphLayer } from '@he-ml/model'
import type { PackedTensor } from './packed-tensor.ts'
import type { RefreshCell } from './refresh-cell.ts'
import type { SlotLayout } from './slot-layout.ts'

/** What a layer needs beside its clear contract to run encrypted. */
export interface Lowerable {
  /**
   * @param inputs one layout per input; states are absent at the first time step
   * @throws UnsupportedError when the layer cannot run on this layout; the message says which one would do
   */
  lower(inputs: readonly SlotLayout[], context: LowerContext): LoweredLayer
  /** Of a layer that refreshes: what it computes, for whoever lets several share a refresh; see `joinRefreshes`. */
  refreshCell?(inputs: readonly SlotLayout[]): RefreshCell | undefined
  /** The layer as it is best for inputs that lie so, as deep as it was; absent: the same for all. */
  suited?(inputs: readonly SlotLayout[]): GraphLayer
}

/** A clear layer that knows its encrypted twin. */
export type LowerableLayer = GraphLayer & Lowerable

/** Whether a layer has an encrypted twin. */
export const isLowerable = (layer: GraphLayer): layer is LowerableLayer => 'lower' in layer

/** What lowering may depend on beside its inputs' layouts. */
export interface LowerContext {
  /** N/2 of the parameters. */
  readonly maxSlots: number
  /**
   * What a reader of the output bears in slots without an element; default 'zero'. 'any' allows cheaper circuits that leave
   * partial sums there; see `gapsWanted`.
   */
  readonly gaps?: 'zero' | 'any'
  /**
   * Groups of ciphertexts of the whole batch, of which a layer may be given some at a time; default those it is given. In a channel
   * layout they will share ciphertexts where there is room; see `mergeable`.
   */
  readonly groups?: number
  /** Whether two real values may share a complex slot, for which an engine needs an exact i (SEAL's has none). Default true. */
  readonly pairs?: boolean
  /** Take this output layout if at no extra depth (the other branch of a residual addition). */
  readonly prefer?: SlotLayout
}

/** A layer bound to layouts. */
export interface LoweredLayer {
  /** The layer's name, for errors. */
  readonly name: string
  /** Where the elements of each output lie. */
  readonly outputs: readonly SlotLayout[]
  /** Levels consumed; by a layer that refreshes, those it takes before the refresh. */
  readonly depth: number
  /**
   * Of a layer that makes each ciphertext of its results of few of its inputs': the ciphertexts of every input that these elements of
   * every result are made of, in ascending order both. Such a layer may be asked for some elements at a time; see `lowerStream`.
   */
  readonly reads?: (elements: readonly number[]) => readonly number[]
  /** Of a layer that refreshes what it computes: results then stand at the level of the circuit's results. */
  readonly refresh?: LayerRefresh
  /**
   * Encodes the weights for inputs at `level` (nominal scale). Long work yields to the event loop.
   * @throws whatever encoding throws; CancelledError through the signal; LevelError when level < depth
   */
  prepare(
    engine: Encoder & Evaluator,
    at: { readonly level: Level; readonly deferred?: boolean; readonly signal?: AbortSignal },
  ): Promise<PreparedLayer>
}

/** The functional bootstrap that a layer asks for. */
export interface LayerRefresh {
  /** Period of its slot vectors. */
  readonly slots: Slots
  /** 'complex' where two ciphertexts travel as one. */
  readonly content: SlotContent
  /** Of the values, as they are held. */
  readonly period: number
  /** Grid points in it. */
  readonly points: number
  /** Levels that its deepest function takes. */
  readonly functionLevels: number
  /** Those of its functions whose results come back in a later sum: membranes. */
  readonly carried: readonly GridFunction[]
  /** How many of its values may be expected to lie where the functions have none, in a run. */
  readonly strays: number
  /** How many sums with what was refreshed before, a membrane, come one after another in it; 0 where there is none. */
  readonly hops: number
  /** Cells side by side, in the order of the layer's inputs and outputs, with how many each has; none where they come one after another. */
  readonly cells: readonly {
    /** Tensors that it takes: a current and perhaps a membrane. */
    readonly inputs: number
    /** Tensors that it gives. */
    readonly outputs: number
  }[]
  /** Real ciphertexts that are refreshed, one or two in a bootstrap. */
  readonly ciphertexts: number
}

/** A functional bootstrap at hand: see `PreparedFunctionalBootstrapping` of ckks-core. */
export interface RefreshCircuit extends Pick<PreparedFunctionalBootstrapping, 'evaluateTogether'> {
  /** How many bootstraps go in lock step at most. Default 1: one after another. */
  readonly together?: number
}

/** How a circuit is run. */
export interface ApplyOptions extends PaceOptions {
  /** For a layer that refreshes: the circuit that it asked for. */
  readonly refresh?: RefreshCircuit
}

/** How a circuit is run for some elements. */
export interface SomeOptions extends ApplyOptions {
  /** Indices of ciphertexts of every result, ascending. */
  readonly only: readonly number[]
}

/** A circuit with its weights encoded; usable many times. */
export interface PreparedLayer extends Disposable {
  /** The layer's name, for errors. */
  readonly name: string
  /**
   * Inputs at the prepared level and nominal scale; all outputs are at level - depth (or where a refresh leaves them) and nominal scale, each a tensor of its
   * own ciphertexts. Inputs are not disposed of. A layer may make thousands of evaluator calls, so it pauses between them (docs/adr/0002): the promise
   * resolves when all calls are made, which is not when the engine is done.
   * @throws CancelledError through options.signal; temporaries are then disposed of
   */
  apply(
    evaluator: Encoder & Evaluator,
    inputs: readonly PackedTensor[],
    options?: ApplyOptions,
  ): Promise<readonly PackedTensor[]>
  /**
   * Some ciphertexts of every result, at their places in its list, the others left out; of layers with `LoweredLayer.reads`.
   * @param inputs of each input those that are read, at their places; the caller has checked levels and scales
   */
  applySome?(
    evaluator: Encoder & Evaluator,
    inputs: readonly (readonly Ciphertext[])[],
    options: SomeOptions,
  ): Promise<readonly (readonly Ciphertext[])[]>
  /** Disposes of the encoded weights; twice is harmless. */
  dispose(): void
}
