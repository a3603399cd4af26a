/**
 * Number of the part that a place lies in when a whole is cut into equal parts: floor(at parts / total), exact.
 *
 * @param at integer, 0 <= at < total
 * @param parts integer from 1
 * @param total integer from 1 to 2^53
 */
export function binOf(at: number, parts: number, total: number): number {
  const product = at * parts
  // both are then exact, and a rounded quotient of such integers is never above the integer that it is below
  if (product <= Number.MAX_SAFE_INTEGER) return Math.floor(product / total)
  return Number((BigInt(at) * BigInt(parts)) / BigInt(total))
}
