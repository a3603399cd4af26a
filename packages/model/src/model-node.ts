import type { GraphLayer } from './layer.ts'

/** A layer in its place. Several nodes may hold one layer object: they share its weights. */
export interface ModelNode {
  /** Unique in the model: names the node in plans, statistics and progress. */
  readonly name: string
  /** What it computes. */
  readonly layer: GraphLayer
  /** Values of earlier nodes, or the model's input; states not counted. */
  readonly inputs: readonly string[]
  /** Names of its results: its own name, or `name/output` for each output of a layer that has several. */
  readonly values: readonly string[]
  /** The node of the model that was unrolled, and the time step, counted from 0. Absent elsewhere. */
  readonly origin?: NodeOrigin
}

/** Where a node of an unrolled model comes from. */
export interface NodeOrigin {
  /** Name of the node of the model that was unrolled. */
  readonly node: string
  /** The time step, from 0. */
  readonly step: number
}
