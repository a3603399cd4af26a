import fc from 'fast-check'

/** Graphs of up to five rows of up to four boxes, with edges between any two rows. */
export const graphs = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 }).chain((counts) => {
  const rows = counts.map((count, row) => ({
    nodes: Array.from({ length: count }, (_, i) => `box-${'x'.repeat(3 * i)}${row}${i}`),
  }))
  const possible = rows.flatMap(({ nodes }, row) =>
    nodes.flatMap((from) => rows.slice(row + 1).flatMap((lower) => lower.nodes.map((to) => [from, to] as const))),
  )
  return fc.subarray(possible).map((edges) => ({ title: 'Boxes', rows, edges }))
})
