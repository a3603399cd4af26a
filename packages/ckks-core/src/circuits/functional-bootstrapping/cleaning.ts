import { type Polynomial, powerPolynomial } from '../polynomial/index.ts'

/**
 * 3 y^2 - 2 y^3: bits that are wrong by e come out wrong by 3 e^2 (Cheon, Kim and Kim, ePrint 2019/1234). Two levels; with other
 * values than 0 and 1 the result stands for these.
 *
 * @param low what 0 becomes
 * @param high what 1 becomes
 */
export function cleaningPolynomial(low = 0, high = 1): Polynomial {
  const size = high - low
  return powerPolynomial([low, 0, 3 * size, -2 * size])
}
