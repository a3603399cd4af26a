import { runPredicted } from '../../engines/noise/predict.ts'
import { defaultSamples } from '../../engines/noise/samples.ts'
import { LevelError } from '../../errors/errors.ts'
import type { Evaluator } from '../../port/engine.ts'
import type { Ciphertext } from '../../port/handles.ts'
import type { Scale } from '../../port/quantities.ts'
import type { SlotValues } from '../../port/slot-values.ts'
import { Evaluation } from './evaluation.ts'
import { chebyshevPolynomial, Polynomial, powerPolynomial } from './polynomial.ts'
import type { Coefficients } from './series.ts'

/** Options of {@link evaluatePolynomial}. */
export interface EvaluateOptions {
  /** Scale of the result. Default: the nominal scale of its level. */
  readonly targetScale?: Scale
  /**
   * Typical values of the slots, any number: the plan engine's error estimate is made at them, for errors grow with the
   * polynomial's derivative. Default: a mix over [-1, 1]; for the power basis, stretched to the estimated magnitude.
   */
  readonly samples?: SlotValues
  /** How often each sample occurs, in any unit: a histogram's counts. Default: all equally often. */
  readonly weights?: Float64Array
}

/** Polynomials one after the other, on engines that estimate errors with the prediction for all of them together. */
function evaluate(
  engine: Evaluator,
  input: Ciphertext,
  polynomials: readonly Polynomial[],
  { targetScale, samples, weights }: EvaluateOptions,
): Ciphertext {
  const spread = polynomials[0]!.basis === 'power' ? engine.estimate?.(input)?.magnitude : undefined
  const at = samples ? { samples, ...(weights && { weights }) } : byDefault(spread)
  const identity = { identity: polynomials, numbers: targetScale === undefined ? [] : [targetScale] }
  return runPredicted(engine, input, (e, x) => chain(e, x, polynomials, targetScale), { ...at, ...identity })
}

function byDefault(spread?: number) {
  const { values, weights } = defaultSamples(spread)
  return { samples: values, weights }
}

function chain(engine: Evaluator, input: Ciphertext, polynomials: readonly Polynomial[], targetScale?: Scale) {
  let current = input
  for (const [i, { basis, plan, depth }] of polynomials.entries()) {
    const level = current.level - depth
    const last = i === polynomials.length - 1
    const evaluation = new Evaluation(engine, current, basis, { ...plan, roots: [plan] })
    const previous = current
    try {
      const scale = (last ? targetScale : undefined) ?? engine.parameters.scaleAt(level)
      current = evaluation.run([scale])[0]!
    } finally {
      evaluation.dispose()
      if (previous !== input) previous.dispose()
    }
  }
  return current
}

function requireDepth(input: Ciphertext, polynomial: Polynomial): void {
  const { degree, depth } = polynomial
  if (input.level < depth)
    throw new LevelError(
      `polynomial of degree ${degree}: expected level >= ${depth}, got ${input.level}: insert a refresh before it, lower the degree or raise the number of levels`,
    )
}

/**
 * A Chebyshev series of a ciphertext whose slots lie in [-1, 1] (or are complex and near it), slot by slot. Takes
 * ceil(log2(degree + 1)) levels; even and odd series skip the elements they do not need.
 *
 * @param polynomial coefficients of T_0, T_1, ..., or a Chebyshev {@link Polynomial} made before
 * @returns level - depth, at exactly `targetScale`; the input stays alive
 * @throws LevelError with too few levels left; MissingKeyError; InvalidArgumentError for a constant
 * @example
 * ```ts
 * import { createClearEngine, createParameters, evaluateChebyshev } from '@he-ml/ckks-core'
 * const engine = createClearEngine(createParameters({ logN: 14, levels: 4, scaleBits: 40, dnum: 5 }))
 * const x = engine.encryptClear(Float64Array.of(-1, -0.5, 0.5, 1))
 * const y = evaluateChebyshev(engine, x, [0, 0, 0, 1]) // T_3(x) = 4 x^3 - 3 x
 * console.log(engine.readClear(y).re, y.level) // -1, 1, -1, 1 at level 2
 * ```
 */
export function evaluateChebyshev(
  engine: Evaluator,
  input: Ciphertext,
  polynomial: Coefficients | Polynomial,
  options: EvaluateOptions = {},
): Ciphertext {
  const p = polynomial instanceof Polynomial ? polynomial : chebyshevPolynomial(polynomial)
  requireDepth(input, p)
  return evaluate(engine, input, [p], options)
}

/**
 * A polynomial of a ciphertext, slot by slot, at optimal depth. Plain coefficients are those of 1, x, x^2, ..., which suits
 * low degrees; beyond about 8 the Chebyshev basis keeps constants and errors small.
 *
 * @param polynomial power coefficients, or a {@link Polynomial} of either basis
 * @returns level - depth, at exactly `targetScale`; the input stays alive
 * @throws LevelError with too few levels left; MissingKeyError; InvalidArgumentError for a constant
 */
export function evaluatePolynomial(
  engine: Evaluator,
  input: Ciphertext,
  polynomial: Coefficients | Polynomial,
  options: EvaluateOptions = {},
): Ciphertext {
  const p = polynomial instanceof Polynomial ? polynomial : powerPolynomial(polynomial)
  requireDepth(input, p)
  return evaluate(engine, input, [p], options)
}

/**
 * p_n(...p_2(p_1(x))), as composite minimax approximations want it. Takes the sum of the depths.
 *
 * @param polynomials in order of application; at least one
 * @throws LevelError before anything runs when the levels do not suffice for all
 */
export function evaluateComposite(
  engine: Evaluator,
  input: Ciphertext,
  polynomials: readonly Polynomial[],
  options: EvaluateOptions = {},
): Ciphertext {
  const depth = polynomials.reduce((sum, p) => sum + p.depth, 0)
  if (input.level < depth)
    throw new LevelError(
      `composite of ${polynomials.length} polynomials: expected level >= ${depth}, got ${input.level}: insert a refresh before it or raise the number of levels`,
    )
  if (polynomials.length === 0) return engine.dropLevel(input, input.level)
  return evaluate(engine, input, polynomials, options)
}
