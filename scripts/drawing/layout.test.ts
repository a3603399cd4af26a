import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Graph } from './graph.mjs'
import { graphs } from './graphs.test-helper.ts'
import { type Box, HEAD, type Line, layoutOf } from './layout.mjs'

/** Points of a line as it is drawn: the bend is a cubic of vertical tangents. */
function pointsOf({ start, end, bendsFrom, bendsTo }: Line): { x: number; y: number }[] {
  const middle = (bendsFrom + bendsTo) / 2
  const bend = Array.from({ length: 101 }, (_, i) => {
    const t = i / 100
    const [a, b, c, d] = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t ** 2 * (1 - t), t ** 3]
    return { x: (a + b) * start.x + (c + d) * end.x, y: a * bendsFrom + (b + c) * middle + d * bendsTo }
  })
  return [start, ...bend, end]
}

const isInside = ({ left, top, width, height }: Box, { x, y }: { x: number; y: number }, by: number) =>
  x > left - by && x < left + width + by && y > top && y < top + height

const overlap = (a: Box, b: Box, gap: number) =>
  a.left < b.left + b.width + gap &&
  b.left < a.left + a.width + gap &&
  a.top < b.top + b.height + gap &&
  b.top < a.top + a.height + gap

/** Boxes by name, each once. */
const boxesOf = (graph: Graph) => {
  const layout = layoutOf(graph)
  return { ...layout, byNode: new Map(layout.boxes.map((box) => [box.node, box])) }
}

describe('layoutOf', () => {
  it('has every box once, its name within it, none over or beside another without a gap', () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const { boxes } = layoutOf(graph)
        expect(boxes.map(({ node }) => node).sort()).toEqual(graph.rows.flatMap(({ nodes }) => nodes).sort())
        for (const [i, box] of boxes.entries()) {
          expect(box.width).toBeGreaterThan(box.node.length * 7.7 + 20)
          for (const other of boxes.slice(i + 1)) expect(overlap(box, other, 16)).toBe(false)
        }
      }),
      { numRuns: 50 },
    )
  })

  it('has lines that lead down only, and none through or along a box', () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const { boxes, lines } = layoutOf(graph)
        const drawn = lines.map(pointsOf)
        const rises = drawn.filter((points) => points.some(({ y }, i) => y < (points[i - 1]?.y ?? y)))
        expect(rises).toEqual([])
        const touches = drawn.flat().filter((point) => boxes.some((box) => isInside(box, point, 15)))
        expect(touches).toEqual([])
      }),
      { numRuns: 50 },
    )
  })

  it('leads from the lower edge of each box to an arrow on the upper edge of every box that it uses', () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const { lines, heads, byNode } = boxesOf(graph)
        const led = [...byNode.values()].flatMap((box) =>
          lines
            .filter(({ start }) => start.y === box.top + box.height)
            .filter(({ start }) => start.x > box.left && start.x < box.left + box.width)
            .map(({ to }) => `${box.node} -> ${to}`),
        )
        expect(led.sort()).toEqual(graph.edges.map(([from, to]) => `${from} -> ${to}`).sort())
        for (const line of lines) {
          const target = byNode.get(line.to)!
          const head = heads.find(({ to }) => to === line.to)!
          expect(head).toEqual({ to: line.to, x: target.left + target.width / 2, y: target.top })
          const goesOn = lines.some(
            ({ to, start }) => to === line.to && start.x === line.end.x && start.y === line.end.y,
          )
          expect(goesOn || (line.end.x === head.x && line.end.y === head.y - HEAD)).toBe(true)
        }
      }),
      { numRuns: 50 },
    )
  })

  it('keeps all within its bounds, and boxes and lines off the labels of rows', () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const labelled = { ...graph, rows: graph.rows.map((row, i) => ({ ...row, label: `layer ${i}` })) }
        const { width, height, boxes, lines, labels } = layoutOf(labelled)
        expect(labels.map(({ text }) => text)).toEqual(labelled.rows.map(({ label }) => label))
        for (const { left, top, width: wide, height: tall } of boxes) {
          expect(left).toBeGreaterThan(70)
          expect(left + wide).toBeLessThan(width)
          expect(top + tall).toBeLessThan(height)
        }
        const across = lines.flatMap(pointsOf).map(({ x }) => x)
        expect(across.filter((x) => x <= 70 || x >= width)).toEqual([])
      }),
      { numRuns: 50 },
    )
  })
})
