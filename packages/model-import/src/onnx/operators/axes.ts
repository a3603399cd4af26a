/** Axes as operators name them: an attribute, or an input in newer operator sets; negative ones count from the end. */
import type { Operation } from '../operation.ts'

export function axisOf(op: Operation, axis: number, rank: number): number {
  const found = axis < 0 ? axis + rank : axis
  if (!Number.isInteger(found) || found < 0 || found >= rank)
    throw op.malformed(`names axis ${axis} of a value with ${rank} axes`)
  return found
}

/** Ascending; undefined when the node names none. */
export function axesOf(op: Operation, rank: number, input = 1): number[] | undefined {
  const given = op.has(input) ? op.integers(input, 'axes') : op.attributes.ints('axes')
  if (!given) return undefined
  const axes = given.map((a) => axisOf(op, a, rank)).sort((a, b) => a - b)
  if (new Set(axes).size !== axes.length) throw op.malformed(`has axes [${given}], some of them twice`)
  return axes
}
