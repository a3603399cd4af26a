// @ts-check
/**
 * A way from a node back to itself, which it names first and last; undefined without any.
 * @param {ReadonlyMap<string, Iterable<string>>} edges
 * @returns {string[] | undefined}
 */
export function findCircle(edges) {
  /** @type {Set<string>} */
  const done = new Set()
  /** @type {(node: string, trail: readonly string[]) => string[] | undefined} */
  const visit = (node, trail) => {
    if (done.has(node)) return undefined
    const at = trail.indexOf(node)
    if (at >= 0) return [...trail.slice(at), node]
    for (const next of edges.get(node) ?? []) {
      const circle = visit(next, [...trail, node])
      if (circle) return circle
    }
    done.add(node)
    return undefined
  }
  for (const node of edges.keys()) {
    const circle = visit(node, [])
    if (circle) return circle
  }
  return undefined
}
