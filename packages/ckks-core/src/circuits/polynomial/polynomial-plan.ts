/**
 * Baby-step giant-step at optimal depth (Paterson-Stockmeyer in the Chebyshev basis: ePrint 2018/1043, 2020/1203 section 5).
 * p = q T_g + r with g the largest power of two in reach, again and again: q must be ready one level earlier, r need not,
 * so r's products and terms join its parent's sum, which is relinearised and rescaled once. A piece of low degree is a plain
 * sum of c_k T_k where its deepest T_k still fits. How low is tried out for every power of two, and the cheapest plan wins.
 */
import {
  type Complex,
  degreeOf,
  divideByElement,
  type PolynomialBasis,
  type Series,
  seriesMagnitude,
} from './series.ts'

/** constant + sum of coefficient * T_power + sum of factor * T_power, all at one level and scale. */
export interface PolynomialNode {
  readonly constant: Complex
  readonly terms: readonly (Complex & { readonly power: number })[]
  readonly products: readonly { readonly power: number; readonly factor: PolynomialNode }[]
  /** Estimated root mean square of the values. */
  readonly magnitude: number
}

/** T_power from T_a and T_b, a + b = power, a >= b. */
export interface PowerStep {
  readonly power: number
  readonly a: number
  readonly b: number
}

/** What evaluating a polynomial runs. */
export interface PolynomialOperations {
  /** Ciphertext products, squares included. */
  readonly products: number
  /** Of powers, and of sums of products: one each. */
  readonly relinearizations: number
  /** Of powers, and of sums: one each. */
  readonly rescales: number
  /** Products with constants. */
  readonly scalarProducts: number
}

/** What one polynomial sums up once the powers are there. */
export interface PolynomialRoot {
  /** Levels that its evaluation takes. */
  readonly depth: number
  /** How it is summed up. */
  readonly root: PolynomialNode
}

/** Several polynomials of one value: the powers are made once. */
export interface JointPlan {
  /** In an order in which each step finds its operands. */
  readonly powers: readonly PowerStep[]
  readonly roots: readonly PolynomialRoot[]
  readonly operations: PolynomialOperations
}

/** How one polynomial is evaluated. */
export interface PolynomialPlan extends PolynomialRoot {
  /** In an order in which each step finds its operands. */
  readonly powers: readonly PowerStep[]
  /** What all of it runs. */
  readonly operations: PolynomialOperations
}

/** Levels that evaluating a polynomial of this degree takes: ceil(log2(degree + 1)). */
export const polynomialDepth = (degree: number): number => Math.ceil(Math.log2(degree + 1))

/** Levels below the input at which T_power is available. */
export const powerDepth = (power: number): number => Math.ceil(Math.log2(power))

/** The cheapest plan; the series has degree at least 1. */
export function planPolynomial(series: Series): PolynomialPlan {
  const { powers, roots, operations } = planTogether([series])
  return { ...roots[0]!, powers, operations }
}

/** The cheapest plan for several series of one basis and of degree at least 1, all of the same value. */
export function planTogether(series: readonly Series[]): JointPlan {
  const { basis } = series[0]!
  const depths = series.map((s) => polynomialDepth(degreeOf(s)))
  let best: JointPlan | undefined
  for (let split = 0; split <= Math.max(...depths); split++) {
    const roots = series.map((s, i) => ({ depth: depths[i]!, root: buildNode(s, depths[i]! - 1, 2 ** split) }))
    const needed = new Set<number>()
    for (const { root } of roots) neededPowers(root, needed)
    const powers = planPowers(needed, basis)
    const plan = { powers, roots, operations: countOperations(roots, powers, basis) }
    if (!best || price(plan.operations) < price(best.operations)) best = plan
  }
  return best!
}

function buildNode(series: Series, budget: number, leafDegree: number): PolynomialNode {
  const terms: (Complex & { power: number })[] = []
  const products: { power: number; factor: PolynomialNode }[] = []
  let rest = series
  for (let degree = degreeOf(rest); degree > 0; degree = degreeOf(rest)) {
    if (degree < leafDegree && leafDepth(rest) <= budget) {
      for (let power = degree; power > 0; power--) addTerm(terms, power, rest, power)
      rest = { ...rest, re: rest.re.slice(0, 1), im: rest.im.slice(0, 1) }
      break
    }
    const power = 2 ** Math.floor(Math.log2(degree))
    const { quotient, remainder } = divideByElement(rest, power)
    if (degreeOf(quotient) === 0) addTerm(terms, power, quotient, 0)
    else products.push({ power, factor: buildNode(quotient, budget - 1, leafDegree) })
    rest = remainder
  }
  return { constant: { re: rest.re[0]!, im: rest.im[0]! }, terms, products, magnitude: seriesMagnitude(series) }
}

function addTerm(terms: (Complex & { power: number })[], power: number, { re, im }: Series, k: number): void {
  if (re[k] !== 0 || im[k] !== 0) terms.push({ power, re: re[k]!, im: im[k]! })
}

function leafDepth({ re, im }: Series): number {
  let deepest = 0
  for (let k = 1; k < re.length; k++) if (re[k] !== 0 || im[k] !== 0) deepest = Math.max(deepest, powerDepth(k))
  return deepest
}

function neededPowers(node: PolynomialNode, into: Set<number>): void {
  for (const { power } of node.terms) into.add(power)
  for (const { power, factor } of node.products) {
    into.add(power)
    neededPowers(factor, into)
  }
}

/** Steps for the needed powers and what they need, preferring operands that are there anyway, then squares. */
function planPowers(needed: Set<number>, basis: PolynomialBasis): PowerStep[] {
  const open = new Set([...needed].filter((k) => k > 1))
  const steps: PowerStep[] = []
  while (open.size > 0) {
    const power = Math.max(...open)
    open.delete(power)
    const missing = (k: number) => (k > 1 && !open.has(k) ? 1 : 0)
    let best: PowerStep | undefined
    let bestMissing = Number.POSITIVE_INFINITY
    // operands must be one level above their product
    for (let a = Math.ceil(power / 2); a < power && powerDepth(a) < powerDepth(power); a++) {
      const b = power - a
      const count = missing(a) + (b === a ? 0 : missing(b) + (basis === 'chebyshev' ? missing(a - b) : 0))
      if (count >= bestMissing) continue
      bestMissing = count
      best = { power, a, b }
    }
    const { a, b } = best!
    for (const k of basis === 'chebyshev' ? [a, b, a - b] : [a, b]) if (k > 1) open.add(k)
    steps.push(best!)
  }
  return steps.reverse()
}

function countOperations(
  roots: readonly PolynomialRoot[],
  powers: readonly PowerStep[],
  basis: PolynomialBasis,
): PolynomialOperations {
  const count = { products: powers.length, relinearizations: powers.length, rescales: powers.length, scalarProducts: 0 }
  if (basis === 'chebyshev') count.scalarProducts += powers.filter(({ a, b }) => a !== b).length
  const visit = (node: PolynomialNode): void => {
    count.rescales++
    count.scalarProducts += node.terms.length
    count.products += node.products.length
    if (node.products.length > 0) count.relinearizations++
    for (const { factor } of node.products) visit(factor)
  }
  for (const { root } of roots) visit(root)
  return count
}

/** Rough relative times (default cost model, 24 + 8 limbs, three digits). */
const price = (o: PolynomialOperations): number =>
  16 * o.relinearizations + 3 * o.rescales + 2 * o.products + 1.5 * o.scalarProducts
