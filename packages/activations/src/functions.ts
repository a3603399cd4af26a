/**
 * The catalogue: functions with what a certificate needs to know about them. A smooth function is analytic in a strip of
 * the complex plane with a known bound there, so that a high-degree interpolant stands for it with a proven tail (Trefethen
 * 2013, theorem 8.2). Others give a derivative, a bound of the second derivative, and their kinks.
 */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { errorFunction } from './error-function.ts'

/** Names of the catalogue. */
export type ActivationName = 'relu' | 'silu' | 'sigmoid' | 'tanh' | 'gelu' | 'square' | 'sign'

/** A real function to approximate, and the facts a certificate rests on. */
export interface ActivationFunction {
  readonly name: string
  readonly evaluate: (x: number) => number
  /** Derivative, one-sided at kinks. */
  readonly derivative: (x: number) => number
  /** Bound of |f''| between kinks. */
  readonly curvature: number
  /** Points where f or f' jumps. */
  readonly kinks: readonly number[]
  /** f(x) - slope * x - offset is even or odd: halves the minimax problem on a symmetric range. */
  readonly symmetry?: { readonly parity: 'even' | 'odd'; readonly offset: number; readonly slope: number }
  /** f is analytic for |Im x| <= halfWidth, and |f| <= bound(r) there for |x| <= r. */
  readonly strip?: { readonly halfWidth: number; readonly bound: (r: number) => number }
}

const sigmoid = (x: number) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)))
const sigmoidSlope = (x: number) => sigmoid(x) * sigmoid(-x)
const normalDensity = (x: number) => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI)
const normalDistribution = (x: number) => 0.5 * (1 + errorFunction(x * Math.SQRT1_2))

const CATALOGUE: Record<ActivationName, ActivationFunction> = {
  relu: {
    name: 'relu',
    evaluate: (x) => Math.max(x, 0),
    derivative: (x) => (x > 0 ? 1 : 0),
    curvature: 0,
    kinks: [0],
    symmetry: { parity: 'even', offset: 0, slope: 0.5 },
  },
  silu: {
    name: 'silu',
    evaluate: (x) => x * sigmoid(x),
    derivative: (x) => sigmoid(x) + x * sigmoidSlope(x),
    curvature: 0.5,
    kinks: [],
    symmetry: { parity: 'even', offset: 0, slope: 0.5 },
    // |1 + exp(-z)| >= 1 where Re exp(-z) >= 0, that is |Im z| <= pi / 2
    strip: { halfWidth: Math.PI / 2, bound: (r) => r },
  },
  sigmoid: {
    name: 'sigmoid',
    evaluate: sigmoid,
    derivative: sigmoidSlope,
    curvature: 0.0963,
    kinks: [],
    symmetry: { parity: 'odd', offset: 0.5, slope: 0 },
    strip: { halfWidth: Math.PI / 2, bound: () => 1 },
  },
  tanh: {
    name: 'tanh',
    evaluate: Math.tanh,
    derivative: (x) => 1 - Math.tanh(x) ** 2,
    curvature: 0.7699,
    kinks: [],
    symmetry: { parity: 'odd', offset: 0, slope: 0 },
    // tanh z = 2 sigmoid(2z) - 1
    strip: { halfWidth: Math.PI / 4, bound: () => 3 },
  },
  gelu: {
    name: 'gelu',
    evaluate: (x) => x * normalDistribution(x),
    derivative: (x) => normalDistribution(x) + x * normalDensity(x),
    curvature: 0.7979,
    kinks: [],
    symmetry: { parity: 'even', offset: 0, slope: 0.5 },
    // |erf(x + iy)| <= 1 + 2/sqrt(pi) y exp(y^2), at y = sqrt(2) / sqrt(2)
    strip: { halfWidth: Math.SQRT2, bound: (r) => 0.5 * r * (2 + (2 / Math.sqrt(Math.PI)) * Math.E) },
  },
  square: {
    name: 'square',
    evaluate: (x) => x * x,
    derivative: (x) => 2 * x,
    curvature: 2,
    kinks: [],
    symmetry: { parity: 'even', offset: 0, slope: 0 },
    strip: { halfWidth: 1, bound: (r) => r * r },
  },
  sign: {
    name: 'sign',
    evaluate: Math.sign,
    derivative: () => 0,
    curvature: 0,
    kinks: [0],
    symmetry: { parity: 'odd', offset: 0, slope: 0 },
  },
}

/** Names that `approximate` knows. */
export const ACTIVATION_NAMES: readonly ActivationName[] = Object.keys(CATALOGUE) as ActivationName[]

/**
 * A function of the catalogue by name; others pass through.
 * @throws InvalidArgumentError for an unknown name
 */
export function activationFunction(fn: ActivationName | ActivationFunction): ActivationFunction {
  if (typeof fn !== 'string') return fn
  const found = Object.hasOwn(CATALOGUE, fn) ? CATALOGUE[fn] : undefined
  if (!found)
    throw new InvalidArgumentError(
      `no activation is called "${fn}": take one of ${ACTIVATION_NAMES.join(', ')}, or pass an ActivationFunction`,
    )
  return found
}
