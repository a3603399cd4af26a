/** A model whose layers are bound to layouts: what programs are built from. Levels come later. */
import type { LoweredLayer, SlotLayout } from '@he-ml/packing'

/** A layer that the output depends on. */
export interface NetworkNode {
  readonly name: string
  readonly kind: string
  readonly inputs: readonly string[]
  /** Names of its results: its own name, or `layer/output` where it has several. */
  readonly outputs: readonly string[]
  /** Nodes that share a layer and its layouts share the circuit. */
  readonly circuit: LoweredLayer
  /** The layer on one ciphertext, where it does the same to every ciphertext of a batch: what pricing needs to look at. */
  readonly single?: LoweredLayer
}

export interface Network {
  readonly nodes: readonly NetworkNode[]
  /** What the caller brings: the model's input, or its frames in the order of time. */
  readonly inputs: readonly string[]
  /** Of each of them. */
  readonly inputLayout: SlotLayout
  readonly output: string
  /** Layouts of the inputs and of every node's results. */
  readonly layouts: ReadonlyMap<string, SlotLayout>
  readonly gaps: GapPolicy
}

/**
 * What layers leave in slots without an element: what their readers bear ('wanted'), or zeros always ('zero'), so that more
 * values can be bootstrapped.
 */
export type GapPolicy = 'wanted' | 'zero'
