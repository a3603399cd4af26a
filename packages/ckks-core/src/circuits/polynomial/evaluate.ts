/**
 * Running a polynomial's plan. Scales are exact throughout: the wanted scale of the result is propagated down (a factor q
 * of q T_g is made at the scale that turns into the wanted one when multiplied by T_g's), and constants are encoded at
 * whatever scale closes the gap, so every sum adds operands of one scale and nothing drifts (ePrint 2020/1118, and as
 * Lattigo does it).
 */
import { LevelError } from '../../errors/errors.ts'
import type { Evaluator } from '../../port/engine.ts'
import type { Ciphertext } from '../../port/handles.ts'
import type { Level, Scale } from '../../port/quantities.ts'
import { scope } from '../scope.ts'
import { chebyshevPolynomial, Polynomial, powerPolynomial } from './polynomial.ts'
import { type PolynomialNode, type PowerStep, powerDepth } from './polynomial-plan.ts'
import type { Coefficients, PolynomialBasis } from './series.ts'

export interface EvaluateOptions {
  /** Scale of the result. Default: the nominal scale of its level. */
  readonly targetScale?: Scale
}

type Use = <T extends Disposable>(temporary: T) => T

/** T_k at the ends of [-1, 1], where errors grow fastest: keeps the noise estimate on the safe side. */
const CHEBYSHEV_MAGNITUDE = 1

class Evaluation {
  readonly #engine: Evaluator
  readonly #basis: PolynomialBasis
  readonly #level: Level
  readonly #powers: Map<number, Ciphertext>

  constructor(engine: Evaluator, input: Ciphertext, basis: PolynomialBasis) {
    this.#engine = engine
    this.#basis = basis
    this.#level = input.level
    this.#powers = new Map([[1, input]])
  }

  /** Computes T_power (x^power) from its parts: 2 T_a T_b - T_(a-b). */
  power({ power, a, b }: PowerStep, use: Use): void {
    const engine = this.#engine
    const result = scope((temporary) => {
      const level = this.#level - powerDepth(power) + 1
      const x = this.#at(a, level, temporary)
      let product = temporary(a === b ? engine.square(x) : engine.mul(x, this.#at(b, level, temporary)))
      if (this.#basis === 'chebyshev') {
        product = temporary(engine.add(product, product))
        if (a === b) product = temporary(engine.addScalar(product, -1))
        else {
          const lower = this.#at(a - b, level, temporary)
          const aligned = temporary(engine.mulScalar(lower, 1, product.scale / lower.scale))
          product = temporary(engine.sub(product, aligned))
        }
        engine.declareMagnitude?.(product, CHEBYSHEV_MAGNITUDE)
      }
      return engine.rescale(temporary(engine.relinearize(product)))
    })
    this.#powers.set(power, use(result))
  }

  /** The node at `level - 1`, at exactly `scale`: its sum at `level`, relinearised and rescaled once. */
  node(node: PolynomialNode, level: Level, scale: Scale): Ciphertext {
    const engine = this.#engine
    return scope((use) => {
      let sum = use(this.#sum(node, level, scale * engine.parameters.groupProduct(level)))
      if (node.constant.re !== 0 || node.constant.im !== 0) sum = use(engine.addScalar(sum, node.constant))
      engine.declareMagnitude?.(sum, node.magnitude)
      if (sum.degree === 2) sum = use(engine.relinearize(sum))
      return engine.rescale(sum)
    })
  }

  #sum(node: PolynomialNode, level: Level, scale: Scale): Ciphertext {
    const engine = this.#engine
    return scope((use) => {
      const parts: Ciphertext[] = []
      const pairs = node.products.map(({ power, factor }): [Ciphertext, Ciphertext] => {
        const element = this.#at(power, level, use)
        return [use(this.node(factor, level + 1, scale / element.scale)), element]
      })
      if (pairs.length > 0) parts.push(use(engine.mulAccumulate(pairs)))
      for (const { power, re, im } of node.terms) {
        const element = this.#at(power, level, use)
        parts.push(use(engine.mulScalar(element, { re, im }, scale / element.scale)))
      }
      return parts.length === 1 ? parts[0]! : engine.sum(parts)
    })
  }

  /** T_power without the primes above `level`. */
  #at(power: number, level: Level, use: Use): Ciphertext {
    const element = this.#powers.get(power)!
    return element.level === level ? element : use(this.#engine.dropLevel(element, level))
  }
}

function evaluate(engine: Evaluator, input: Ciphertext, polynomial: Polynomial, options: EvaluateOptions): Ciphertext {
  const { basis, plan, depth, degree } = polynomial
  if (input.level < depth)
    throw new LevelError(
      `polynomial of degree ${degree}: expected level >= ${depth}, got ${input.level}: insert a refresh before it, lower the degree or raise the number of levels`,
    )
  const level = input.level - depth
  const scale = options.targetScale ?? engine.parameters.scaleAt(level)
  return scope((use) => {
    const evaluation = new Evaluation(engine, input, basis)
    for (const step of plan.powers) evaluation.power(step, use)
    return evaluation.node(plan.root, level + 1, scale)
  })
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
  return evaluate(engine, input, p, options)
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
  return evaluate(engine, input, p, options)
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
  let current = engine.dropLevel(input, input.level)
  for (const [i, polynomial] of polynomials.entries()) {
    const next = evaluate(engine, current, polynomial, i === polynomials.length - 1 ? options : {})
    current.dispose()
    current = next
  }
  return current
}
