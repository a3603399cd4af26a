/**
 * The catalogue: functions with what a certificate needs to know about them. A smooth function is analytic in a strip of
 * the complex plane with a known bound there, so that a high-degree interpolant stands for it with a proven tail (Trefethen
 * 2013, theorem 8.2). Others give a derivative, a bound of the second derivative, and their kinks; of those that give neither,
 * errors are measured. Functions with parameters stand in parametric.ts, those of users come from custom-activation.ts.
 */
import { checkArgument, InvalidArgumentError, optionCheck } from '@he-ml/ckks-core'
import { errorFunction } from './error-function.ts'

/** Names of the catalogue. */
export type ActivationName =
  | 'relu'
  | 'silu'
  | 'sigmoid'
  | 'tanh'
  | 'gelu'
  | 'softplus'
  | 'hardSwish'
  | 'square'
  | 'sign'

/** A real function to approximate, and the facts a certificate rests on. */
export interface ActivationFunction {
  /** With its parameters, as in 'leakyRelu(0.01)': plans tell functions apart by it. */
  readonly name: string
  /** Of a user's own function: changed by the user whenever the function is. */
  readonly version?: string
  /** f(x), for every finite x. */
  readonly evaluate: (x: number) => number
  /** Derivative, one-sided at kinks. Absent: errors are measured, not proven; see `certifySeries`. */
  readonly derivative?: (x: number) => number
  /** Bound of |f''| between kinks. Absent as the derivative is. */
  readonly curvature?: number
  /** Points where f or f' jumps. */
  readonly kinks: readonly number[]
  /** f(x) - slope * x - offset is even or odd: halves the minimax problem on a symmetric range. */
  readonly symmetry?: {
    /** What is left when the line is taken away. */
    readonly parity: 'even' | 'odd'
    /** Of the line. */
    readonly offset: number
    /** Of the line. */
    readonly slope: number
  }
  /** f is analytic for |Im x| <= halfWidth, and |f| <= bound(r) there for |x| <= r. */
  readonly strip?: {
    /** Largest |Im x|. */
    readonly halfWidth: number
    /** Bound of |f(x)| for |x| <= r. */
    readonly bound: (r: number) => number
  }
  /** f(d x) = d f(x) for positive d. Default false. */
  readonly positivelyHomogeneous?: boolean
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
    positivelyHomogeneous: true,
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
  softplus: {
    name: 'softplus',
    evaluate: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
    derivative: sigmoid,
    curvature: 0.25,
    kinks: [],
    symmetry: { parity: 'even', offset: 0, slope: 0.5 },
    // 1 <= |1 + exp(z)| <= 1 + exp(r) and |arg(1 + exp(z))| <= pi / 2 where Re exp(z) >= 0
    strip: { halfWidth: Math.PI / 2, bound: (r) => r + Math.LN2 + Math.PI / 2 },
  },
  hardSwish: {
    name: 'hardSwish',
    evaluate: (x) => x * Math.min(1, Math.max(0, x / 6 + 0.5)),
    derivative: (x) => (x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5),
    curvature: 1 / 3,
    kinks: [-3, 3],
    symmetry: { parity: 'even', offset: 0, slope: 0.5 },
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

/** Whether a name is one of the catalogue. */
export const isActivationName = (name: string): name is ActivationName => Object.hasOwn(CATALOGUE, name)

/**
 * A function of the catalogue by name; others pass through.
 * @throws InvalidArgumentError for an unknown name, or another function under a name of the catalogue
 */
export function activationFunction(fn: ActivationName | ActivationFunction): ActivationFunction {
  if (typeof fn !== 'string') checkFunction(fn)
  const name: string = typeof fn === 'string' ? fn : fn.name
  const found = isActivationName(name) ? CATALOGUE[name] : undefined
  if (typeof fn === 'string') {
    if (found) return found
    throw new InvalidArgumentError(
      `no activation is called "${fn}": take one of ${ACTIVATION_NAMES.join(', ')}, leakyRelu, elu, hardSigmoid or clip, or pass an ActivationFunction`,
    )
  }
  if (found && found !== fn)
    throw new InvalidArgumentError(
      `"${name}" is a function of the catalogue, and the one that was passed is another: give it a name of its own`,
    )
  return fn
}

/** @throws InvalidArgumentError for what lacks what a function has */
function checkFunction(fn: ActivationFunction): void {
  const { name, evaluate, kinks } = (optionCheck.object(fn) === undefined ? fn : {}) as Partial<ActivationFunction>
  checkArgument('activation', 'its function', fn, () =>
    typeof name === 'string' && typeof evaluate === 'function' && Array.isArray(kinks)
      ? undefined
      : `the name of one (${ACTIVATION_NAMES.join(', ')}), or what leakyRelu, elu, hardSigmoid, clip or customActivation gives`,
  )
}
