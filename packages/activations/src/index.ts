/**
 * Functions a polynomial can stand for: Chebyshev series, minimax and least-squares approximation, composite sign and ReLU,
 * every one with a certified error on its range.
 *
 * @packageDocumentation
 */
export { activationIdentity } from './activation-identity.ts'
export * from './activation-polynomial.ts'
export { approximate } from './approximate.ts'
export type { ApproximateOptions } from './approximate-options.ts'
export type { Supremum } from './branch-and-bound.ts'
export { certifySeries } from './certify.ts'
export {
  type ChebyshevSeries,
  chebyshevNodes,
  evaluateSeries,
  interpolateChebyshev,
  type Range,
  seriesDepth,
} from './chebyshev.ts'
export {
  type CompositeSign,
  type CompositeSignOptions,
  certifyCompositeSign,
  certifyReluBySign,
  compositeSign,
  evaluateCompositeSign,
} from './composite-sign.ts'
export { type CustomActivationOptions, customActivation } from './custom-activation.ts'
export {
  type EvaluateActivationOptions,
  evaluateActivation,
  type PreparedActivation,
  prepareActivation,
} from './evaluate-activation.ts'
export type { Extremum } from './exchange.ts'
export { type DensityFitOptions, fitDensities } from './fit-densities.ts'
export { ACTIVATION_NAMES, type ActivationFunction, type ActivationName, activationFunction } from './functions.ts'
export { fitLeastSquares, type Histogram, type LeastSquaresFit, type LeastSquaresOptions } from './least-squares.ts'
export { type MinimaxRelu, type MinimaxReluOptions, minimaxRelu } from './minimax-relu.ts'
export { clip, elu, hardSigmoid, leakyRelu } from './parametric.ts'
export { parsePolynomial } from './parse-polynomial.ts'
export { findMinimax, type MinimaxOptions, type MinimaxResult } from './remez.ts'
export { type CompositeDegrees, type DegreeSearchOptions, searchCompositeDegrees } from './search-degrees.ts'
export {
  addSeries,
  changeRange,
  differentiateSeries,
  fromPowerBasis,
  multiplySeries,
  scaleSeries,
  toPowerBasis,
} from './series-algebra.ts'
