/**
 * The search: dynamic programming over the order of the nodes. Between two nodes, the state is the level of every value that
 * is still read. See docs/notes/planning.md.
 */
import type { FoundRefresh, Placement, PlacementNode, PlacementProblem } from './problem.ts'

/** States that are kept between two nodes. */
const MOST_STATES = 20_000
/** Comparing all pairs pays below this. */
const MOST_COMPARED = 3000

interface State<Choice> {
  /** In the order of the living values. */
  readonly levels: readonly number[]
  readonly seconds: number
  readonly from: State<Choice> | undefined
  /** What led here: the level of the node just run, or a refresh. */
  readonly step: number | FoundRefresh<Choice> | undefined
}

/** Best states by their levels. */
type States<Choice> = Map<string, State<Choice>>

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
  const { nodes } = problem
  const lastRead = lastReads(problem)
  let alive: readonly string[] = problem.inputs
  let exact = true
  let states: States<Choice> = new Map()
  keep(states, { levels: problem.inputs.map(() => problem.inputLevel), seconds: 0, from: undefined, step: undefined })
  for (const [index, node] of nodes.entries()) {
    states = refreshed(problem, states, alive, index)
    const next = [...alive, ...outputsOf(node)].filter((name) => lastRead.get(name)! > index)
    states = run(problem, states, { index, alive, next })
    alive = next
    const pruned = prune(states, mostStates)
    exact &&= pruned.exact
    states = pruned.states
    if (states.size === 0) return undefined
  }
  let best: State<Choice> | undefined
  const position = alive.indexOf(problem.output)
  for (const state of states.values())
    if (state.levels[position]! >= problem.outputLevel && (!best || state.seconds < best.seconds)) best = state
  return best && { ...trace(best), exact }
}

const outputsOf = ({ name, outputs }: PlacementNode): readonly string[] => outputs ?? [name]

/** Index of the last node that reads each value; the output is read after all of them. */
function lastReads({ nodes, output }: PlacementProblem): ReadonlyMap<string, number> {
  const last = new Map<string, number>()
  for (const [index, { inputs }] of nodes.entries()) for (const name of inputs) last.set(name, index)
  for (const node of nodes) for (const value of outputsOf(node)) if (!last.has(value)) last.set(value, -1)
  return last.set(output, nodes.length)
}

function keep<Choice>(states: States<Choice>, state: State<Choice>): boolean {
  const key = state.levels.join(',')
  const known = states.get(key)
  if (known && known.seconds <= state.seconds) return false
  states.set(key, state)
  return true
}

/** All states that refreshing living values leads to, the old ones included. */
function refreshed<Choice>(
  problem: PlacementProblem<Choice>,
  states: States<Choice>,
  alive: readonly string[],
  before: number,
): States<Choice> {
  const sets = subsets(alive.length).map((positions) => {
    const values = positions.map((i) => alive[i]!)
    return { positions, values, options: problem.refreshOptions(values) }
  })
  const all: States<Choice> = new Map(states)
  let latest = [...all.values()]
  while (latest.length > 0) {
    const found: State<Choice>[] = []
    for (const state of latest) {
      for (const { positions, values, options } of sets) {
        for (const option of options) {
          const { needs, gives, seconds } = option
          if (positions.some((i) => state.levels[i]! < needs || state.levels[i]! >= gives)) continue
          const levels = state.levels.map((level, i) => (positions.includes(i) ? gives : level))
          const step = { before, values, option }
          const next = { levels, seconds: state.seconds + seconds, from: state, step }
          if (keep(all, next)) found.push(next)
        }
      }
    }
    latest = found
  }
  return all
}

/** All positions alone, then all pairs. */
function subsets(count: number): number[][] {
  const sets = Array.from({ length: count }, (_, i) => [i])
  for (let i = 0; i < count; i++) for (let j = i + 1; j < count; j++) sets.push([i, j])
  return sets
}

/** All states after a node, run at every level that its inputs allow. */
function run<Choice>(
  problem: PlacementProblem<Choice>,
  states: States<Choice>,
  at: { readonly index: number; readonly alive: readonly string[]; readonly next: readonly string[] },
): States<Choice> {
  const node = problem.nodes[at.index]!
  const inputs = node.inputs.map((name) => at.alive.indexOf(name))
  const sources = at.next.map((name) => at.alive.indexOf(name))
  const results: States<Choice> = new Map()
  for (const from of states.values()) {
    const highest = Math.min(...inputs.map((i) => from.levels[i]!))
    for (let level = node.depth; level <= highest; level++) {
      const seconds = from.seconds + node.seconds(level)
      if (seconds === Number.POSITIVE_INFINITY) continue
      const levels = sources.map((i) => (i < 0 ? level - node.depth : from.levels[i]!))
      keep(results, { levels, seconds, from, step: level })
    }
  }
  return results
}

/** Without states that another beats everywhere; with at most `most` of them. */
function prune<Choice>(states: States<Choice>, most: number): { states: States<Choice>; exact: boolean } {
  const byCost = [...states.values()].sort((a, b) => a.seconds - b.seconds)
  const kept: State<Choice>[] = []
  for (const state of byCost)
    if (byCost.length > MOST_COMPARED || !kept.some((better) => covers(better, state))) kept.push(state)
  if (kept.length <= most) return { states: new Map(kept.map(entry)), exact: true }
  // half of the places for the cheap, half for those that have most levels left
  const half = Math.ceil(most / 2)
  const least = (state: State<Choice>) => Math.min(...state.levels)
  const rest = kept.slice(half).sort((a, b) => least(b) - least(a) || a.seconds - b.seconds)
  return { states: new Map([...kept.slice(0, half), ...rest.slice(0, most - half)].map(entry)), exact: false }
}

const covers = <Choice>(better: State<Choice>, state: State<Choice>): boolean =>
  better.levels.every((level, i) => level >= state.levels[i]!)

const entry = <Choice>(state: State<Choice>): [string, State<Choice>] => [state.levels.join(','), state]

/** Follows a state back to the beginning. */
function trace<Choice>(end: State<Choice>): Omit<Placement<Choice>, 'exact'> {
  const levels: number[] = []
  const refreshes: FoundRefresh<Choice>[] = []
  for (let state: State<Choice> | undefined = end; state; state = state.from) {
    if (typeof state.step === 'number') levels.unshift(state.step)
    else if (state.step) refreshes.unshift(state.step)
  }
  return { seconds: end.seconds, levels, refreshes }
}
