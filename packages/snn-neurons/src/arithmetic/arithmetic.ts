/**
 * What a recurrence may do with its values. A neuron is written once against this interface; numbers, dual numbers,
 * straight-line programs over arrays (and their gradients) and ciphertexts implement it. Every operation returns a new
 * value and leaves its operands as they were.
 */
export interface Arithmetic<V> {
  /** a + b */
  add(a: V, b: V): V
  /** a - b */
  sub(a: V, b: V): V
  /** a b */
  mul(a: V, b: V): V
  /** a a */
  square(a: V): V
  /** a times a known number. */
  scale(a: V, factor: number): V
  /** a plus a known number. */
  addConstant(a: V, constant: number): V
}
