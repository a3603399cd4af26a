import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { partsOf, rowsByDepth } from './graph.mjs'
import { graphs } from './graphs.test-helper.ts'

describe('rowsByDepth', () => {
  it('puts each node directly above the highest that it uses, in the order given', () => {
    const edges = [
      ['d', 'b'],
      ['d', 'a'],
      ['b', 'a'],
      ['e', 'a'],
    ] as const
    expect(rowsByDepth(['a', 'b', 'c', 'd', 'e'], edges)).toEqual([
      { nodes: ['d'] },
      { nodes: ['b', 'e'] },
      { nodes: ['a', 'c'] },
    ])
  })
})

describe('partsOf', () => {
  it('lets the lines to one box share its trunk', () => {
    const rows = [{ nodes: ['top'] }, { nodes: ['side'] }, { nodes: ['middle'] }, { nodes: ['low'] }]
    const edges = [
      ['top', 'low'],
      ['side', 'low'],
      ['top', 'side'],
    ] as const
    const { rows: items, segments } = partsOf({ title: '', rows, edges })
    expect(items.map((row) => row.map(({ id }) => id))).toEqual([
      ['top'],
      ['side', 'low in row 1'],
      ['middle', 'low in row 2'],
      ['low'],
    ])
    expect(segments.map(({ from, to }) => `${from} -> ${to}`).sort()).toEqual([
      'low in row 1 -> low in row 2',
      'low in row 2 -> low',
      'side -> low in row 2',
      'top -> low in row 1',
      'top -> side',
    ])
  })

  it('leads along its segments from each node to those that it uses, and no others', () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const { segments } = partsOf(graph)
        const nodes = graph.rows.flatMap((row) => row.nodes)
        const reached = (id: string): string[] =>
          nodes.includes(id) ? [id] : segments.filter(({ from }) => from === id).flatMap(({ to }) => reached(to))
        const led = nodes.flatMap((node) =>
          segments
            .filter(({ from }) => from === node)
            .flatMap(({ to }) => reached(to))
            .map((to) => `${node} -> ${to}`),
        )
        expect(led.sort()).toEqual(graph.edges.map(([from, to]) => `${from} -> ${to}`).sort())
      }),
    )
  })

  it('refuses edges that do not lead down, and nodes that are nowhere', () => {
    const rows = [{ nodes: ['a', 'b'] }, { nodes: ['c'] }]
    for (const edge of [
      ['a', 'b'],
      ['c', 'a'],
      ['a', 'nobody'],
      ['nobody', 'c'],
    ] as const)
      expect(() => partsOf({ title: '', rows, edges: [edge] })).toThrow(`${edge[0]} -> ${edge[1]}`)
  })
})
