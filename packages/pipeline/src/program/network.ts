/** A model whose layers are bound to layouts: what programs are built from. Levels come later. */
import type { GraphLayer } from '@he-ml/model'
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
  /** How often it runs: once for each tile of the batch. */
  readonly tiles: number
  /** Of a merge: how many tiles of what it reads become one. */
  readonly merges?: number
  /** The layer on one ciphertext, where it does the same to every ciphertext of a batch: what pricing needs to look at. */
  readonly single?: LoweredLayer
  /** Nodes that it does the work of: what pricing looks at in its place. */
  readonly parts?: readonly NetworkNode[]
}

export interface Network {
  readonly nodes: readonly NetworkNode[]
  /** What the caller brings: the model's input, or its frames in the order of time. */
  readonly inputs: readonly string[]
  /** Of each of them, all tiles together. */
  readonly inputLayout: SlotLayout
  /** Runs of sub-batches that go through the first layers one after another. */
  readonly inputTiles: number
  readonly output: string
  /** Layouts of the inputs and of every node's results, a tile each. */
  readonly layouts: ReadonlyMap<string, SlotLayout>
  /** Layouts of what merges read: the tiles of a value that become one, by its name. */
  readonly joined: ReadonlyMap<string, SlotLayout>
  readonly gaps: GapPolicy
  /** Groups of ciphertexts in a tile at most. */
  readonly tile: 1 | 2
  /** Whether layers may join two real inputs in a complex slot. */
  readonly pairs: boolean
  /** Layers that are others than the model's, since they suit where their inputs lie; by node. */
  readonly suited: ReadonlyMap<string, GraphLayer>
}

/** How many tiles a value has: as many as the node that computes it. */
export function tilesOf({ nodes, inputs, inputTiles }: Network, value: string): number {
  if (inputs.includes(value)) return inputTiles
  return nodes.find(({ outputs }) => outputs.includes(value))?.tiles ?? 1
}

/**
 * What layers leave in slots without an element: what their readers bear ('wanted'), or zeros always ('zero'), so that more
 * values can be bootstrapped.
 */
export type GapPolicy = 'wanted' | 'zero'
