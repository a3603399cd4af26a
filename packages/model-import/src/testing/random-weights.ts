import type { Sketch } from './random-graphs.ts'

/** Weights of a shape, as an initialiser or as an expression of constants. */
export function weightsOf(s: Sketch, dims: readonly number[]): string {
  const plain = (shape: readonly number[]) => s.constant(s.numbers(shape, 0.7))
  const form = s.int(0, 5)
  if (form === 0)
    return s.node('Transpose', [plain([...dims].reverse())], { perm: dims.map((_, i) => dims.length - 1 - i) })
  if (form === 1) return s.node('Reshape', [plain([dims.reduce((a, b) => a * b, 1)]), s.ints(...dims)])
  if (form === 2) return s.node('Mul', [plain(dims), s.constant({ dims: [], data: [0.5] })])
  if (form === 3) {
    // 1, -0.5, 0.25, 2, 0.3330078125 in half precision
    const bits = [0x3c00, 0xb800, 0x3400, 0x4000, 0x3554]
    const size = dims.reduce((a, b) => a * b, 1)
    const half = s.constant({ dims, type: 10, data: Array.from({ length: size }, () => s.pick(bits)) })
    return s.node('Cast', [half], { to: 1 })
  }
  return plain(dims)
}
