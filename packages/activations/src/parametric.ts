/** Activations with parameters. Their names bear them, so that a plan made for one does not bind to another. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { ActivationFunction } from './functions.ts'

function checkFinite(name: string, parameters: Readonly<Record<string, number>>): void {
  for (const [parameter, value] of Object.entries(parameters))
    if (!Number.isFinite(value))
      throw new InvalidArgumentError(`${name}: ${parameter} must be a finite number, got ${value}`)
}

/**
 * x above 0, slope * x below.
 *
 * @param slope default 0.01, as ONNX and PyTorch have it
 * @throws InvalidArgumentError unless it is finite
 * @example
 * ```ts
 * import { approximate, leakyRelu } from '@he-ml/activations'
 * console.log(approximate(leakyRelu(0.1), { range: [-8, 8], degree: 15 }).certifiedError) // about 0.072
 * ```
 */
export function leakyRelu(slope = 0.01): ActivationFunction {
  checkFinite('leakyRelu', { slope })
  return {
    name: `leakyRelu(${slope})`,
    evaluate: (x) => (x > 0 ? x : slope * x),
    derivative: (x) => (x > 0 ? 1 : slope),
    curvature: 0,
    kinks: [0],
    symmetry: { parity: 'even', offset: 0, slope: (1 + slope) / 2 },
    positivelyHomogeneous: true,
  }
}

/**
 * x above 0, alpha (exp(x) - 1) below.
 *
 * @param alpha default 1
 * @throws InvalidArgumentError unless it is finite
 */
export function elu(alpha = 1): ActivationFunction {
  checkFinite('elu', { alpha })
  return {
    name: `elu(${alpha})`,
    evaluate: (x) => (x > 0 ? x : alpha * Math.expm1(x)),
    derivative: (x) => (x > 0 ? 1 : alpha * Math.exp(x)),
    curvature: Math.abs(alpha),
    kinks: [0],
  }
}

/**
 * alpha x + beta, between 0 and 1.
 *
 * @param alpha default 1/6, as PyTorch and HardSwish have it; ONNX's own default is 0.2
 * @param beta default 0.5
 * @throws InvalidArgumentError unless alpha is positive and both are finite
 */
export function hardSigmoid(alpha = 1 / 6, beta = 0.5): ActivationFunction {
  checkFinite('hardSigmoid', { alpha, beta })
  if (!(alpha > 0)) throw new InvalidArgumentError(`hardSigmoid: alpha must be positive, got ${alpha}`)
  return {
    name: `hardSigmoid(${alpha}, ${beta})`,
    evaluate: (x) => Math.min(1, Math.max(0, alpha * x + beta)),
    derivative: (x) => (alpha * x + beta > 0 && alpha * x + beta < 1 ? alpha : 0),
    curvature: 0,
    kinks: [-beta / alpha, (1 - beta) / alpha],
    ...(beta === 0.5 ? { symmetry: { parity: 'odd', offset: 0.5, slope: 0 } } : {}),
  }
}

/**
 * x, between two bounds: `clip(0, 6)` is ReLU6.
 *
 * @param low may be -Infinity
 * @param high above `low`; may be Infinity, but not both
 * @throws InvalidArgumentError for bounds that clip nothing or everything
 */
export function clip(low: number, high: number): ActivationFunction {
  if (!(low < high) || (low === -Infinity && high === Infinity))
    throw new InvalidArgumentError(
      `clip: expected bounds in ascending order, one of them finite, got ${low} and ${high}`,
    )
  return {
    name: `clip(${low}, ${high})`,
    evaluate: (x) => Math.min(high, Math.max(low, x)),
    derivative: (x) => (x > low && x < high ? 1 : 0),
    curvature: 0,
    kinks: [low, high].filter(Number.isFinite),
    ...(low === -high ? { symmetry: { parity: 'odd', offset: 0, slope: 0 } } : {}),
  }
}
