/**
 * The plainest attack by hand, so that the recorded figures do not hang on one program: find the secret as a shortest vector
 * of the lattice of its samples by block reduction. It succeeds once the secret's projection on the last block is shorter than
 * reduction leaves that block's first vector (ePrint 2015/1092, section 6.3), the lattice's dimension being free and its secret
 * part scaled to the error's size. A block of b costs 2^(0.2961 b' + 20.4) gates, b' being b less the dimensions that come
 * for free, d - b blocks are reduced (MATZOV, "Report on the security of LWE", 2022).
 */

import type { Problem } from './problems.ts'
import { errorDeviation } from './results.ts'

const GATES_PER_DIMENSION = 0.29613500308205365
const GATES = 20.387885985467914
/** Blocks of every size up to b, twice over, as a geometric sum. */
const PROGRESSIVE = -2 * Math.log2(1 - 2 ** -GATES_PER_DIMENSION)

/** Natural logarithm of the root Hermite factor that blocks of b reach. */
const logDelta = (b: number): number =>
  (Math.log(Math.PI * b) / b + Math.log(b / (2 * Math.PI * Math.E))) / (2 * (b - 1))

const freeDimensions = (b: number): number => (b * Math.log(4 / 3)) / Math.log(b / (2 * Math.PI * Math.E))

/** log2 of the gates that this attack on a dense secret takes. */
export function usvpBits(problem: Problem): number {
  let low = 60
  let high = 2000
  while (low < high) {
    const middle = (low + high) >> 1
    if (reveals(problem, middle)) high = middle
    else low = middle + 1
  }
  const reduced = GATES_PER_DIMENSION * (low - freeDimensions(low)) + GATES + PROGRESSIVE
  return reduced + Math.log2(dimension(problem, low) - low)
}

const ringDegree = ({ logN }: Problem): number => 2 ** logN
const logModulus = ({ logQP }: Problem): number => logQP * Math.LN2
/** A uniform ternary secret has variance 2/3. */
const logScaling = (problem: Problem): number => Math.log(errorDeviation(problem) / Math.sqrt(2 / 3))

/** Dimension in which the reduced basis' first vector is shortest. */
const dimension = (problem: Problem, b: number): number =>
  Math.ceil(Math.sqrt((ringDegree(problem) * (logModulus(problem) - logScaling(problem))) / logDelta(b)))

function reveals(problem: Problem, b: number): boolean {
  const n = ringDegree(problem)
  const d = dimension(problem, b)
  const logVolume = (d - n) * logModulus(problem) + n * logScaling(problem)
  const target = Math.log(errorDeviation(problem)) + Math.log(b) / 2
  return target <= (2 * b - d - 1) * logDelta(b) + logVolume / d
}
