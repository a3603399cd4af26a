import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { partsOf } from './graph.mjs'
import { graphs } from './graphs.test-helper.ts'
import { crossings, fewestCrossings } from './order.mjs'

const twoRows = (...edges: readonly (readonly [string, string])[]) =>
  partsOf({ title: '', rows: [{ nodes: ['a', 'b', 'c'] }, { nodes: ['x', 'y', 'z'] }], edges })

describe('crossings', () => {
  it('counts pairs whose ends lie in opposite orders, not those that share an end', () => {
    const { rows, segments } = twoRows(['a', 'z'], ['b', 'y'], ['c', 'x'], ['a', 'x'])
    expect(crossings(rows, segments)).toBe(3)
  })
})

describe('fewestCrossings', () => {
  it('untangles what can be drawn without a crossing', () => {
    const parts = twoRows(['a', 'z'], ['b', 'y'], ['c', 'x'], ['a', 'y'])
    expect(crossings(parts.rows, parts.segments)).toBeGreaterThan(0)
    for (const rows of fewestCrossings(parts)) expect(crossings(rows, parts.segments)).toBe(0)
  })

  it('leaves the crossings that every order has', () => {
    const all = ['a', 'b', 'c'].flatMap((from) => ['x', 'y', 'z'].map((to) => [from, to] as const))
    const parts = twoRows(...all)
    // of the complete graph of three and three: one for each pair above and each pair below
    for (const rows of fewestCrossings(parts)) expect(crossings(rows, parts.segments)).toBe(9)
  })

  it('keeps the items of every row, and is never worse than the order given', () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const parts = partsOf(graph)
        const given = parts.rows.map((row) => row.map(({ id }) => id).sort())
        const before = crossings(parts.rows, parts.segments)
        for (const rows of fewestCrossings(parts)) {
          expect(rows.map((row) => row.map(({ id }) => id).sort())).toEqual(given)
          expect(crossings(rows, parts.segments)).toBeLessThanOrEqual(before)
        }
      }),
      { numRuns: 30 },
    )
  })
})
