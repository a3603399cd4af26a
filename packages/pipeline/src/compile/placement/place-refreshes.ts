/**
 * The search: dynamic programming over the order of the nodes. Between two nodes, the state is the level of every value that
 * is still read. See docs/notes/planning.md.
 */
import type { Level } from '@he-ml/ckks-core'
import type { FoundRefresh, Placement, PlacementNode, PlacementProblem, RefreshOption } from './problem.ts'
import { pruneStates } from './prune-states.ts'
import { StateRows } from './state-rows.ts'
import { StateTable } from './state-table.ts'

/** States that are kept between two nodes. */
const MOST_STATES = 20_000

/** How a state came about: what was done last, and before. */
interface Way<Choice> {
  readonly from: Way<Choice> | undefined
  /** The level of the node just run, or a refresh. */
  readonly step: Level | FoundRefresh<Choice>
}

/** States between two nodes, and the way to each row's first record; none at the beginning. */
interface Frontier<Choice> {
  readonly table: StateTable
  readonly ways: readonly (Way<Choice> | undefined)[]
}

/**
 * The cheapest way through, or undefined when there is none.
 *
 * @param options.mostStates beyond it the search is a beam and the result need not be the cheapest
 */
export function placeRefreshes<Choice>(
  problem: PlacementProblem<Choice>,
  options: { readonly mostStates?: number } = {},
): Placement<Choice> | undefined {
  const { mostStates = MOST_STATES } = options
  const lastRead = lastReads(problem)
  let alive: readonly string[] = problem.inputs
  let exact = true
  let frontier: Frontier<Choice> = beginning(problem)
  for (const [index, node] of problem.nodes.entries()) {
    const moves = movesOf(problem, alive)
    refresh(frontier.table, moves)
    const next = [...alive, ...outputsOf(node)].filter((name) => lastRead.get(name)! > index)
    const results = run(frontier.table, { node, alive, next })
    const pruned = pruneStates(results, mostStates)
    exact &&= pruned.exact
    frontier = goOn(frontier, results, pruned.rows, (move) => {
      const { values, option } = moves[move]!
      return { before: index, values, option }
    })
    alive = next
    if (frontier.table.rows === 0) return undefined
  }
  const best = cheapestEnd(frontier.table, alive.indexOf(problem.output), problem.outputLevel)
  if (best === undefined) return undefined
  return { seconds: frontier.table.leastSeconds(best), ...trace(frontier.ways[best]), exact }
}

const outputsOf = ({ name, outputs }: PlacementNode): readonly string[] => outputs ?? [name]

/** Index of the last node that reads each value; the output is read after all of them. */
function lastReads({ nodes, output }: PlacementProblem): ReadonlyMap<string, number> {
  const last = new Map<string, number>()
  for (const [index, { inputs }] of nodes.entries()) for (const name of inputs) last.set(name, index)
  for (const node of nodes) for (const value of outputsOf(node)) if (!last.has(value)) last.set(value, -1)
  return last.set(output, nodes.length)
}

function beginning<Choice>({ inputs, inputLevel }: PlacementProblem<Choice>): Frontier<Choice> {
  const table = new StateTable(inputs.length)
  table.scratch.fill(inputLevel)
  table.keep(0, -1, 0)
  return { table, ways: [undefined] }
}

/** One way of refreshing one or two of the values that live. */
interface Move<Choice> {
  readonly values: readonly string[]
  readonly positions: readonly number[]
  readonly option: RefreshOption<Choice>
}

/** All positions alone, then all pairs, each in every way. */
function movesOf<Choice>(problem: PlacementProblem<Choice>, alive: readonly string[]): Move<Choice>[] {
  const sets = alive.map((_, i) => [i])
  for (let i = 0; i < alive.length; i++) for (let j = i + 1; j < alive.length; j++) sets.push([i, j])
  return sets.flatMap((positions) => {
    const values = positions.map((i) => alive[i]!)
    return problem.refreshOptions(values).map((option) => ({ values, positions, option }))
  })
}

/** Adds all states that refreshing living values leads to. */
function refresh<Choice>(table: StateTable, moves: readonly Move<Choice>[]): void {
  const steps = moves.map(({ positions: [first, second = first], option }) => {
    return { first: first!, second: second!, ...option }
  })
  // what is found is gone on from in turn
  for (let record = 0; record < table.records; record++) {
    const row = table.rowOf(record)
    const before = table.secondsOf(record)
    for (let move = 0; move < steps.length; move++) {
      const { first, second, needs, gives, seconds } = steps[move]!
      const a = table.level(row, first)
      const b = table.level(row, second)
      if (a < needs || a >= gives || b < needs || b >= gives) continue
      table.copy(table, row)
      table.scratch[first] = gives
      table.scratch[second] = gives
      table.keep(before + seconds, record, move)
    }
  }
}

interface At {
  readonly node: PlacementNode
  readonly alive: readonly string[]
  readonly next: readonly string[]
}

/**
 * All states after a node, run at every level that its inputs allow; their steps are levels. They differ in the levels of what goes
 * on living, or in that of the node's own results where those live: so each is found by a row of the former and the latter.
 */
function run(states: StateTable, { node, alive, next }: At): StateRows {
  const inputs = node.inputs.map((name) => alive.indexOf(name))
  const sources = next.map((name) => alive.indexOf(name))
  const carried = sources.filter((source) => source >= 0)
  const ownLives = carried.length < sources.length
  const results = new StateRows(next.length)
  const rests = new StateTable(carried.length)
  const seconds = secondsOf(node, states, inputs)
  const known = new Int32Array(states.rows * seconds.length)
  for (let row = 0; row < states.rows; row++) {
    for (let i = 0; i < carried.length; i++) rests.scratch[i] = states.level(row, carried[i]!)
    const first = rests.keep(0, -1, 0) * seconds.length
    const highest =
      node.gives === undefined ? highestOf(states, row, inputs) : Math.min(node.depth, highestOf(states, row, inputs))
    for (let level = node.depth; level <= highest; level++) {
      const total = states.leastSeconds(row) + seconds[level]!
      if (total === Number.POSITIVE_INFINITY) continue
      const place = first + (ownLives ? level : 0)
      const found = known[place]! - 1
      if (found >= 0) {
        if (results.leastSeconds(found) > total) results.improve(found, total, states.cheapest(row), level)
        continue
      }
      for (let i = 0; i < sources.length; i++)
        results.scratch[i] = sources[i]! < 0 ? (node.gives ?? level - node.depth) : states.level(row, sources[i]!)
      known[place] = 1 + results.add(total, states.cheapest(row), level)
    }
  }
  return results
}

/** The highest level at which a state lets these values be read together. */
function highestOf(states: StateTable, row: number, values: readonly number[]): Level {
  let highest = states.level(row, values[0]!)
  for (const value of values) highest = Math.min(highest, states.level(row, value))
  return highest
}

/** What a node costs at each level that any state allows. */
function secondsOf(node: PlacementNode, states: StateTable, inputs: readonly number[]): Float64Array {
  let highest = -1
  for (let row = 0; row < states.rows; row++) highest = Math.max(highest, highestOf(states, row, inputs))
  return Float64Array.from({ length: highest + 1 }, (_, level) =>
    level < node.depth ? Number.POSITIVE_INFINITY : node.seconds(level),
  )
}

/** The rows that were kept, with the ways to them. @param found the refresh that a move is */
function goOn<Choice>(
  { table, ways }: Frontier<Choice>,
  results: StateRows,
  rows: Int32Array,
  found: (move: number) => FoundRefresh<Choice>,
): Frontier<Choice> {
  const before: (Way<Choice> | undefined)[] = [...ways]
  const wayTo = (record: number): Way<Choice> | undefined => {
    // what the table began with has its way already, if only that nothing was done
    if (record < ways.length) return before[record]
    before[record] ??= { from: wayTo(table.fromOf(record)), step: found(table.stepOf(record)) }
    return before[record]
  }
  const kept = new StateTable(results.width)
  const next = Array.from(rows, (row) => {
    const record = results.cheapest(row)
    kept.copy(results, row)
    kept.keep(results.leastSeconds(row), -1, 0)
    return { from: wayTo(results.fromOf(record)), step: results.stepOf(record) }
  })
  return { table: kept, ways: next }
}

/** The cheapest row whose output stands high enough. */
function cheapestEnd(table: StateTable, position: number, outputLevel: Level): number | undefined {
  let best: number | undefined
  for (let row = 0; row < table.rows; row++) {
    if (table.level(row, position) < outputLevel) continue
    if (best === undefined || table.leastSeconds(row) < table.leastSeconds(best)) best = row
  }
  return best
}

/** Follows a way back to the beginning. */
function trace<Choice>(end: Way<Choice> | undefined): Pick<Placement<Choice>, 'levels' | 'refreshes'> {
  const levels: Level[] = []
  const refreshes: FoundRefresh<Choice>[] = []
  for (let way = end; way; way = way.from) {
    if (typeof way.step === 'number') levels.unshift(way.step)
    else refreshes.unshift(way.step)
  }
  return { levels, refreshes }
}
