/**
 * From t = (x + I) / RAISE_BOUND to E = exp(2 pi i x): the multiple of q0 that modRaise adds is a whole number of turns. A Chebyshev
 * series with complex coefficients gives the 2^r-th root of it, r squarings the rest. The coefficients are the sums over
 * Chebyshev nodes, all weighted alike, so the error is the same at every multiple and none is worse than the others.
 */
import { RAISE_BOUND } from '../../parameters/ephemeral.ts'
import type { Evaluator } from '../../port/engine.ts'
import type { Ciphertext } from '../../port/handles.ts'
import { type Complex, chebyshevPolynomial, evaluateChebyshev, type Polynomial } from '../polynomial/index.ts'
import { scope } from '../scope.ts'

export interface Exponential {
  /** exp(2 pi i RAISE_BOUND t / 2^squarings) */
  readonly series: Polynomial
  readonly squarings: number
  /** Largest |E - exp(2 pi i x)| wherever an argument can be, without noise. */
  readonly error: number
}

/** Nodes of the sums, per coefficient. */
const NODES = 8

/** Arguments tried for the largest error, per unit of x. */
const TRIED = 16

const made = new Map<string, Exponential>()

/** Works out the series; remembered. */
export function createExponential(degree: number, squarings: number): Exponential {
  const key = `${degree}, ${squarings}`
  const known = made.get(key)
  if (known) return known
  const nodes = NODES * (degree + 1)
  const turn = (2 * Math.PI * RAISE_BOUND) / 2 ** squarings
  const [re, im] = [new Float64Array(degree + 1), new Float64Array(degree + 1)]
  for (let i = 0; i < nodes; i++) {
    const at = (Math.PI * (i + 0.5)) / nodes
    const angle = turn * Math.cos(at)
    for (let k = 0; k <= degree; k++) {
      const share = ((k === 0 ? 1 : 2) * Math.cos(k * at)) / nodes
      re[k]! += share * Math.cos(angle)
      im[k]! += share * Math.sin(angle)
    }
  }
  // the cosine is even and the sine odd: what is left elsewhere is round-off
  for (let k = 0; k <= degree; k++) (k % 2 === 0 ? im : re)[k] = 0
  const exponential = { series: chebyshevPolynomial({ re, im }), squarings }
  const reach = TRIED * RAISE_BOUND
  let error = 0
  for (let i = -reach; i <= reach; i++) {
    const x = i / TRIED
    const { re, im } = exponentialAt(exponential, x)
    error = Math.max(error, Math.hypot(re - Math.cos(2 * Math.PI * x), im - Math.sin(2 * Math.PI * x)))
  }
  const result = { ...exponential, error }
  made.set(key, result)
  return result
}

/** E for x + I, in floats. */
export function exponentialAt({ series, squarings }: Pick<Exponential, 'series' | 'squarings'>, x: number): Complex {
  let { re, im } = series.at({ re: x / RAISE_BOUND, im: 0 })
  for (let i = 0; i < squarings; i++) [re, im] = [re * re - im * im, 2 * re * im]
  return { re, im }
}

/** E of t; nominal scale. @returns a new handle */
export function evaluateExponential(engine: Evaluator, t: Ciphertext, { series, squarings }: Exponential): Ciphertext {
  return scope((use) => {
    let current = use(evaluateChebyshev(engine, t, series))
    for (let i = 0; i < squarings; i++) current = use(engine.relinearizeRescale(use(engine.square(current))))
    return current
  })
}
