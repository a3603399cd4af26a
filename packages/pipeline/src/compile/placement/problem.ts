/** Where to bootstrap, as a problem about levels and seconds only: no layers, no layouts, no engines. */
import type { Level } from '@he-ml/ckks-core'

/** A layer as the search sees it. */
export interface PlacementNode {
  readonly name: string
  /** Values of earlier nodes, or inputs. */
  readonly inputs: readonly string[]
  /** Its values; default one of its own name. */
  readonly outputs?: readonly string[]
  /** Levels consumed. */
  readonly depth: number
  /** Level of its results where it refreshes them; then `depth` is the level at which it reads its inputs. */
  readonly gives?: Level
  /** Seconds, not negative, when its inputs are read at a level from `depth` on; Infinity where it cannot run. */
  seconds(level: Level): number
}

/** One way of refreshing. */
export interface RefreshOption<Choice = unknown> {
  /** Lowest level that a value may have. */
  readonly needs: Level
  /** Level of the result. */
  readonly gives: Level
  readonly seconds: number
  /** What stands behind it; handed back with the result. */
  readonly choice: Choice
}

export interface PlacementProblem<Choice = unknown> {
  /** Values that are there before any node runs. */
  readonly inputs: readonly string[]
  /** Highest level of a fresh input. */
  readonly inputLevel: Level
  /** In an order in which every node comes after its inputs. */
  readonly nodes: readonly PlacementNode[]
  readonly output: string
  /** Lowest level that the output may have. */
  readonly outputLevel: Level
  /** Ways of refreshing these values together (one or two of them); empty when that is impossible. */
  refreshOptions(values: readonly string[]): readonly RefreshOption<Choice>[]
}

/** A refresh in its place. */
export interface FoundRefresh<Choice = unknown> {
  /** Index of the node that runs next. */
  readonly before: number
  readonly values: readonly string[]
  readonly option: RefreshOption<Choice>
}

export interface Placement<Choice = unknown> {
  readonly seconds: number
  /** Level at which each node reads its inputs, in the order of the nodes. */
  readonly levels: readonly Level[]
  /** In order of execution. */
  readonly refreshes: readonly FoundRefresh<Choice>[]
  /** Whether the search kept every state, so that the result is the optimum. */
  readonly exact: boolean
}
