import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { placeRefreshes } from './place-refreshes.ts'
import type { Placement, PlacementNode, PlacementProblem, RefreshOption } from './problem.ts'

/** A refreshed version of a value. */
interface Version {
  readonly option: RefreshOption
  /** Readers from this node on may take it. */
  readonly from: number
  /** Values refreshed together: all of them need the option's level. */
  readonly values: readonly string[]
}

/** Where values stand: the inputs first, then the nodes. */
function placesIn({ nodes, inputs }: PlacementProblem): (name: string) => number {
  const names = [...inputs, ...nodes.map((n) => n.name)]
  return (name) => names.indexOf(name)
}

/** The least seconds of all runs with these refreshed versions, which have cost `spent`: every node runs at some level. At most `best`. */
function cheapestRun(
  problem: PlacementProblem,
  versions: ReadonlyMap<string, Version>,
  spent: number,
  best: number,
): number {
  const { nodes, inputs, output } = problem
  const place = placesIn(problem)
  let least = best
  const walk = (index: number, raw: readonly number[], seconds: number): void => {
    if (seconds >= least) return
    const reading = (name: string, reader: number): number[] => {
      const version = versions.get(name)
      const level = raw[place(name)]!
      if (!version || reader < version.from) return [level]
      if (version.values.some((v) => raw[place(v)]! < version.option.needs)) return [level]
      return [level, version.option.gives]
    }
    if (index === nodes.length) {
      if (Math.max(...reading(output, index)) >= problem.outputLevel) least = seconds
      return
    }
    const node = nodes[index]!
    const highest = Math.min(...node.inputs.map((name) => Math.max(...reading(name, index))))
    for (let level = node.depth; level <= highest; level++)
      walk(index + 1, [...raw, level - node.depth], seconds + node.seconds(level))
  }
  walk(
    0,
    inputs.map(() => problem.inputLevel),
    spent,
  )
  return least
}

/**
 * The optimum by enumeration, from another description of the same thing: every value has one refreshed version or none, every
 * reader takes one of both versions, every node runs at some level. Two values may share a refresh when all who read the
 * first one's refreshed version come after the second.
 */
function enumerate(problem: PlacementProblem): number {
  const place = placesIn(problem)
  let best = Number.POSITIVE_INFINITY
  const assign = (open: readonly string[], versions: ReadonlyMap<string, Version>, seconds: number): void => {
    const [name, ...rest] = open
    if (name === undefined) {
      best = cheapestRun(problem, versions, seconds, best)
      return
    }
    assign(rest, versions, seconds)
    for (const option of problem.refreshOptions([name]))
      assign(rest, new Map([...versions, [name, { option, from: 0, values: [name] }]]), seconds + option.seconds)
    for (const other of rest)
      for (const option of problem.refreshOptions([name, other])) {
        const from = place(other) // its readers have at least that index
        const values = [name, other]
        const both = new Map([
          ...versions,
          [name, { option, from, values }],
          [other, { option, from, values }],
        ] as const)
        assign(
          rest.filter((r) => r !== other),
          both,
          seconds + option.seconds,
        )
      }
  }
  assign([...problem.inputs, ...problem.nodes.map((n) => n.name)], new Map(), 0)
  return best
}

/** Replays a placement with its own bookkeeping; returns its cost. */
function replay(problem: PlacementProblem, placement: Placement): number {
  const level = new Map(problem.inputs.map((input) => [input, problem.inputLevel]))
  let seconds = 0
  for (const [index, node] of problem.nodes.entries()) {
    for (const { values, option } of placement.refreshes.filter((r) => r.before === index)) {
      for (const value of values) {
        expect(level.get(value)).toBeGreaterThanOrEqual(option.needs)
        level.set(value, option.gives)
      }
      seconds += option.seconds
    }
    const at = placement.levels[index]!
    for (const name of node.inputs) expect(level.get(name)).toBeGreaterThanOrEqual(at)
    expect(at).toBeGreaterThanOrEqual(node.depth)
    level.set(node.name, at - node.depth)
    seconds += node.seconds(at)
  }
  expect(level.get(problem.output)).toBeGreaterThanOrEqual(problem.outputLevel)
  return seconds
}

const TOP = 4

const problems = fc
  .array(
    fc.record({
      depth: fc.integer({ min: 0, max: 2 }),
      inputs: fc.array(fc.nat(), { minLength: 1, maxLength: 2 }),
      costs: fc.array(fc.integer({ min: 0, max: 30 }), { minLength: TOP + 1, maxLength: TOP + 1 }),
      growing: fc.boolean(),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .chain((layers) =>
    fc.record({
      layers: fc.constant(layers),
      single: fc.integer({ min: 1, max: 40 }),
      more: fc.nat(20),
      cheap: fc.integer({ min: 1, max: 40 }),
      blocked: fc.nat(layers.length),
      outputLevel: fc.integer({ min: 0, max: 1 }),
    }),
  )
  .map(({ layers, single, more, cheap, blocked, outputLevel }): PlacementProblem => {
    const names = ['x', ...layers.map((_, i) => `n${i}`)]
    const nodes = layers.map(({ depth, inputs, costs, growing }, i): PlacementNode => {
      const given = growing ? [...costs].sort((a, b) => a - b) : costs
      const from = [...new Set([i, ...inputs.slice(1).map((k) => k % (i + 1))])]
      return { name: `n${i}`, inputs: from.map((k) => names[k]!), depth, seconds: (level) => given[level]! }
    })
    const options = (values: readonly string[]): RefreshOption[] =>
      values.includes(names[blocked]!)
        ? []
        : [
            { needs: 1, gives: 3, seconds: values.length === 1 ? single : single + more, choice: 'plain' },
            { needs: 2, gives: 2, seconds: cheap, choice: 'merged' },
          ].filter((o) => o.gives > o.needs || values.length === 1)
    return { inputs: ['x'], inputLevel: TOP, nodes, output: names.at(-1)!, outputLevel, refreshOptions: options }
  })

describe('placing refreshes', () => {
  it('finds what enumeration finds', () => {
    let refreshed = 0
    let shared = 0
    let impossible = 0
    fc.assert(
      fc.property(problems, (problem) => {
        const wanted = enumerate(problem)
        const found = placeRefreshes(problem)
        if (!found) {
          expect(wanted).toBe(Number.POSITIVE_INFINITY)
          impossible++
          return
        }
        expect(found.exact).toBe(true)
        expect(found.seconds).toBe(wanted)
        expect(replay(problem, found)).toBe(found.seconds)
        if (found.refreshes.length > 0) refreshed++
        if (found.refreshes.some((r) => r.values.length > 1)) shared++
      }),
      { numRuns: 1500 },
    )
    // the examples are worth something only when all of this happens in them
    expect(Math.min(refreshed, shared, impossible)).toBeGreaterThan(5)
  })

  const chain = (depths: readonly number[], refresh: number, slope = 1): PlacementProblem => ({
    inputs: ['x'],
    inputLevel: 6,
    nodes: depths.map((depth, i) => ({
      name: `n${i}`,
      inputs: [i === 0 ? 'x' : `n${i - 1}`],
      depth,
      seconds: (level) => slope * (1 + level),
    })),
    output: `n${depths.length - 1}`,
    outputLevel: 0,
    refreshOptions: () => [{ needs: 1, gives: 6, seconds: refresh, choice: undefined }],
  })

  it('runs layers as late as possible where no refresh is needed', () => {
    const found = placeRefreshes(chain([1, 2, 1], 100))!
    expect(found.refreshes).toEqual([])
    expect(found.levels).toEqual([4, 3, 1])
  })
  it('spends a refresh that is not needed when layers are dear at high levels', () => {
    const deep = chain([1, 1, 1, 1, 1], 2, 10)
    const wide: PlacementProblem = {
      ...deep,
      refreshOptions: () => [{ needs: 0, gives: 2, seconds: 2, choice: undefined }],
    }
    expect(placeRefreshes(chain([1, 1, 1, 1, 1], 100, 10))!.refreshes).toEqual([])
    expect(placeRefreshes(wide)!.refreshes.length).toBeGreaterThan(0)
  })
  it('stays valid as a beam, and says that it was one', () => {
    const problem: PlacementProblem = { ...chain([2, 2, 2, 2, 2, 2], 50) }
    const best = placeRefreshes(problem)!
    const beam = placeRefreshes(problem, { mostStates: 2 })!
    expect(beam.exact).toBe(false)
    expect(replay(problem, beam)).toBe(beam.seconds)
    expect(beam.seconds).toBeGreaterThanOrEqual(best.seconds)
  })
  it('takes several inputs, each at the level of a fresh one', () => {
    const one = chain([2, 2, 2, 2], 5)
    const node = (name: string, inputs: string[]) => ({ ...one.nodes[0]!, name, inputs })
    const frames: PlacementProblem = {
      ...one,
      inputs: ['x0', 'x1', 'x2'],
      nodes: [node('a', ['x0']), node('b', ['a']), node('c', ['b', 'x1']), node('d', ['c', 'x2'])],
      output: 'd',
      // a fresh input is as high as it can be
      refreshOptions: (values) => (values.some((v) => v.startsWith('x')) ? [] : one.refreshOptions(values)),
    }
    const found = placeRefreshes(frames)!
    expect(replay(frames, found)).toBe(found.seconds)
    expect(found.seconds).toBe(placeRefreshes(one)!.seconds)
    expect(found.refreshes.map(({ values }) => values)).toEqual(
      placeRefreshes(one)!.refreshes.map(() => [expect.any(String)]),
    )
  })

  it('says when there is no way', () => {
    expect(placeRefreshes(chain([7], 1))).toBeUndefined()
    expect(placeRefreshes({ ...chain([4, 4], 1), refreshOptions: () => [] })).toBeUndefined()
  })
})
