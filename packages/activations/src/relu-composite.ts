/**
 * ReLU as x (1 + s(x)) / 2 with a composite sign s. Outside the sign's own gap the error is at most half the sign's; inside it
 * is about an eighth of that gap. So the sign's gap is a choice between the two: degrees come from the exact search at several
 * gaps, and each list of degrees gets the smallest gap at which the error outside is still met.
 */
import { PlanError, type PolynomialOperations } from '@he-ml/ckks-core'
import type { Range } from './chebyshev.ts'
import { type CompositeSign, compositeSign, evaluateCompositeSign } from './composite-sign.ts'
import { addOperations, type Cost, type ReluTarget } from './relu-target.ts'
import { oddOperations, searchCompositeDegrees } from './search-degrees.ts'

export interface ReluComposite extends Cost {
  readonly degrees: readonly number[]
  readonly sign: CompositeSign
}

/** The widest gap tried, over the errors' and the gap's size; beyond, no composite meets the target. */
const WIDEST = { error: 22, gap: 1.5 }
/** The narrowest one, over the widest: there the error inside is far below what is allowed. */
const NARROWEST = 0.2
/** Gaps are told apart to this ratio. */
const RESOLUTION = 1.03
/** Lists of degrees given at most: the certificate of the first holds, or float64 ends here (near 2^-20). */
const MOST_LISTS = 3

/** Composites that meet the target on samples within the depth, cheapest first: a narrower gap never costs less. */
export function* reluComposites(target: ReluTarget, maxDepth: number): Generator<ReluComposite> {
  const { error, gap: wantedGap, gapError } = target
  const widest = Math.min(
    0.9,
    Math.max(WIDEST.error * gapError, Math.min(WIDEST.error * error, WIDEST.gap * wantedGap)),
  )
  let gap = widestFeasible([NARROWEST * widest, widest], target, maxDepth)
  const given = new Set<string>()
  for (; gap >= NARROWEST * widest && given.size < MOST_LISTS; gap /= RESOLUTION ** 2) {
    const found = compositeAt(gap, target, maxDepth)
    if (found === 'too deep') return
    if (found === 'misses' || given.has(found.degrees.join())) continue
    given.add(found.degrees.join())
    yield found
  }
}

/** By bisection: a wide gap misses the target inside, a narrow one asks for more depth. */
function widestFeasible([low, high]: Range, target: ReluTarget, maxDepth: number): number {
  if (compositeAt(high, target, maxDepth) !== 'misses') return high
  let [narrow, wide] = [low, high]
  while (wide / narrow > RESOLUTION) {
    const middle = Math.sqrt(narrow * wide)
    if (compositeAt(middle, target, maxDepth) === 'misses') wide = middle
    else narrow = middle
  }
  return narrow
}

/** The cheapest for a sign of this gap, sharpened as far as the errors allow. */
function compositeAt(gap: number, target: ReluTarget, maxDepth: number): ReluComposite | 'misses' | 'too deep' {
  // a hair stricter than needed: certificates are a little above the truth
  const signError = Math.min(0.9, 2 * target.gapError * 0.998)
  const degrees = degreesFor(gap, signError, maxDepth - 1)
  if (!degrees) return 'too deep'
  const sign = sharpest(degrees, gap, signError)
  if (!meetsOnSamples(sign, target)) return 'misses'
  return { degrees, sign, depth: sign.depth + 1, operations: gateOperations(degrees) }
}

function degreesFor(gap: number, error: number, maxDepth: number): readonly number[] | undefined {
  if (maxDepth < 2) return undefined
  try {
    return searchCompositeDegrees({ gap, error, maxDepth }).degrees
  } catch (problem) {
    if (problem instanceof PlanError) return undefined
    throw problem
  }
}

/** The smallest gap at which these degrees keep the sign's error. */
function sharpest(degrees: readonly number[], gap: number, error: number): CompositeSign {
  let best = compositeSign({ degrees, gap })
  let low = 0.5 * gap
  let high = gap
  while (high / low > 1.01) {
    const middle = Math.sqrt(low * high)
    const sign = compositeSign({ degrees, gap: middle })
    if (sign.error <= error) {
      best = sign
      high = middle
    } else low = middle
  }
  return best
}

function meetsOnSamples(sign: CompositeSign, { error, gap, gapError }: ReluTarget): boolean {
  for (let i = 1; i <= 400; i++)
    for (const x of [(sign.gap * i) / 400, sign.gap ** (i / 400)]) {
      const reached = 0.5 * x * Math.abs(1 - evaluateCompositeSign(sign, x))
      if (reached > (x < gap ? error : gapError)) return false
    }
  return true
}

/** Of the factors and the product with x. */
function gateOperations(degrees: readonly number[]): PolynomialOperations {
  const product = { products: 1, relinearizations: 1, rescales: 1, scalarProducts: 0 }
  return degrees.map(oddOperations).reduce(addOperations, product)
}
