/** An approximation on a ciphertext: the Chebyshev circuit of ckks-core, once per factor. */
import {
  type Ciphertext,
  chebyshevPolynomial,
  type EvaluateOptions,
  type Evaluator,
  evaluateChebyshev,
  evaluateComposite,
  InvalidArgumentError,
  LevelError,
  type Polynomial,
  type Samples,
  scope,
  toLevel,
} from '@he-ml/ckks-core'
import type { ActivationPolynomial, CompositePolynomial } from './activation-polynomial.ts'
import type { Range } from './chebyshev.ts'

/** Options of {@link evaluateActivation}. */
export interface EvaluateActivationOptions {
  /**
   * The slots already hold x / B (or, for a lopsided range, the position of x in it), between -1 and 1: the producing layer
   * was scaled. Otherwise one level more is spent on that product, unless the range is [-1, 1] itself.
   */
  readonly normalizedInput?: boolean
  /** Where in [-1, 1] inputs lie, for error estimates. Default: see `defaultSamples` of ckks-core. */
  readonly samples?: Samples
}

/** An approximation made ready for ciphertexts; immutable, usable many times. */
export interface PreparedActivation {
  /** Levels consumed, the normalisation included. */
  readonly depth: number
  /** @throws LevelError with too few levels; MissingKeyError without the relinearisation key */
  apply(engine: Evaluator, input: Ciphertext): Ciphertext
}

/**
 * Plans the circuit of an approximation once.
 * @throws InvalidArgumentError for a constant polynomial
 */
export function prepareActivation(
  polynomial: ActivationPolynomial,
  options: EvaluateActivationOptions = {},
): PreparedActivation {
  const [lo, hi] = polynomial.range
  const normalize = !(options.normalizedInput || (lo === -1 && hi === 1))
  const depth = polynomial.depth + (normalize ? 1 : 0)
  const { samples } = options
  const at = samples ? { samples: samples.values, ...(samples.weights && { weights: samples.weights }) } : {}
  const { depth: taken, run } =
    polynomial.kind === 'series' ? seriesCircuit(polynomial.series.coefficients, at) : compositeCircuit(polynomial, at)
  if (taken > polynomial.depth)
    throw new InvalidArgumentError(
      `activation "${polynomial.function}": its coefficients take ${taken} levels, not the ${polynomial.depth} it says`,
    )
  return {
    depth,
    apply: (engine, input) => {
      if (input.level < depth)
        throw new LevelError(
          `activation "${polynomial.function}": expected level >= ${depth}, got ${input.level}: insert a refresh before it, ` +
            'take a lower degree or raise the number of levels',
        )
      return scope((use) => {
        const unit = normalize ? use(normalized(engine, input, [lo, hi])) : input
        // coefficients that are round-off next to the others are not evaluated, and may have been what the depth was for
        const spare = polynomial.depth - taken
        return run(engine, spare > 0 ? use(toLevel(engine, unit, unit.level - spare)) : unit)
      })
    },
  }
}

/** Its position in the range, from -1 to 1; one level. */
const normalized = (engine: Evaluator, input: Ciphertext, [lo, hi]: Range): Ciphertext =>
  scope((use) => {
    const scaled = engine.rescale(use(engine.mulScalar(input, 2 / (hi - lo))))
    return lo === -hi ? scaled : engine.addScalar(use(scaled), -(lo + hi) / (hi - lo))
  })

interface Circuit {
  readonly depth: number
  run(engine: Evaluator, unit: Ciphertext): Ciphertext
}

type At = Pick<EvaluateOptions, 'samples' | 'weights'>

function seriesCircuit(coefficients: readonly number[], at: At): Circuit {
  if (coefficients.slice(1).every((c) => c === 0))
    throw new InvalidArgumentError('this approximation is constant: replace the activation by its value')
  const polynomial = chebyshevPolynomial(coefficients)
  return { depth: polynomial.depth, run: (engine, unit) => evaluateChebyshev(engine, unit, polynomial, at) }
}

/** For ReLU, B x' (1 + s(x')) / 2 with the factor B / 2 inside the last series. */
function compositeCircuit({ function: name, factors, range }: CompositePolynomial, at: At): Circuit {
  const half = 0.5 * range[1]
  const polynomials: Polynomial[] = factors.map(({ coefficients }, i) => {
    if (name === 'sign' || i < factors.length - 1) return chebyshevPolynomial(coefficients)
    return chebyshevPolynomial(coefficients.map((c, k) => half * (c + (k === 0 ? 1 : 0))))
  })
  const gateDepth = polynomials.reduce((sum, p) => sum + p.depth, 0)
  if (name === 'sign')
    return { depth: gateDepth, run: (engine, unit) => evaluateComposite(engine, unit, polynomials, at) }
  const run: Circuit['run'] = (engine, unit) =>
    scope((use) => {
      const level = unit.level - gateDepth
      // the scale at which the product with x rescales to the nominal scale of its level
      const { parameters } = engine
      const targetScale = (parameters.scaleAt(level - 1) * parameters.groupProduct(level)) / unit.scale
      const gate = use(evaluateComposite(engine, unit, polynomials, { targetScale, ...at }))
      const x = use(engine.dropLevel(unit, level))
      return engine.relinearizeRescale(use(engine.mul(gate, x)))
    })
  return { depth: gateDepth + 1, run }
}

/**
 * The approximation, slot by slot. Inputs must lie within the polynomial's range.
 * @returns at level - depth (one less without a normalised input), nominal scale; the input stays alive
 * @throws LevelError, MissingKeyError, InvalidArgumentError
 * @example
 * ```ts
 * import { approximate, evaluateActivation } from '@he-ml/activations'
 * import { createClearEngine, createParameters } from '@he-ml/ckks-core'
 * const engine = createClearEngine(createParameters({ logN: 14, levels: 6, scaleBits: 40, dnum: 7 }))
 * const relu = approximate('relu', { range: [-4, 4], degree: 15 })
 * const y = evaluateActivation(engine, engine.encryptClear(Float64Array.of(-2, 3)), relu)
 * console.log(engine.readClear(y).re) // about 0 and 3
 * ```
 */
export const evaluateActivation = (
  engine: Evaluator,
  input: Ciphertext,
  polynomial: ActivationPolynomial,
  options: EvaluateActivationOptions = {},
): Ciphertext => prepareActivation(polynomial, options).apply(engine, input)
