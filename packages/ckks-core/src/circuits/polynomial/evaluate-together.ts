import { InvalidArgumentError, LevelError } from '../../errors/errors.ts'
import type { Evaluator } from '../../port/engine.ts'
import type { Ciphertext } from '../../port/handles.ts'
import { Evaluation } from './evaluation.ts'
import type { Polynomial } from './polynomial.ts'
import { type JointPlan, planTogether } from './polynomial-plan.ts'
import { createSeries } from './series.ts'

/** The last plan that began with a polynomial. */
const plans = new WeakMap<Polynomial, { readonly polynomials: readonly Polynomial[]; readonly plan: JointPlan }>()

/**
 * How several polynomials of one value are evaluated: their powers are made once.
 * @throws InvalidArgumentError for none, or for polynomials of different bases
 */
export function planPolynomials(polynomials: readonly Polynomial[]): JointPlan {
  const [first] = polynomials
  if (!first) throw new InvalidArgumentError('evaluateTogether: at least one polynomial is needed')
  const known = plans.get(first)
  if (known?.polynomials.length === polynomials.length && known.polynomials.every((p, i) => p === polynomials[i]))
    return known.plan
  if (polynomials.some(({ basis }) => basis !== first.basis))
    throw new InvalidArgumentError('evaluateTogether: polynomials of different bases share no powers')
  const series = polynomials.map(({ basis, coefficients: { re, im } }) =>
    createSeries(basis, { re: Float64Array.from(re), im: Float64Array.from(im) }),
  )
  const plan = planTogether(series)
  plans.set(first, { polynomials: [...polynomials], plan })
  return plan
}

/**
 * Several polynomials of one ciphertext, slot by slot: a power that two of them need is made once. Each takes its own
 * ceil(log2(degree + 1)) levels.
 *
 * @returns one ciphertext for each, at nominal scale; the input stays alive
 * @throws LevelError with too few levels left; MissingKeyError; InvalidArgumentError for none, or for different bases
 * @example
 * ```ts
 * import { createClearEngine, createParameters, evaluateTogether, powerPolynomial } from '@he-ml/ckks-core'
 * const engine = createClearEngine(createParameters({ logN: 14, levels: 4, scaleBits: 40, dnum: 5 }))
 * const x = engine.encryptClear(Float64Array.of(1, 2, 3, 4))
 * const polynomials = [powerPolynomial([0, 0, 1]), powerPolynomial([1, 0, 0, 1])]
 * const [square, cube] = evaluateTogether(engine, x, polynomials)
 * console.log(engine.readClear(square!).re, engine.readClear(cube!).re) // 1, 4, 9, 16 and 2, 9, 28, 65
 * ```
 */
export function evaluateTogether(
  engine: Evaluator,
  input: Ciphertext,
  polynomials: readonly Polynomial[],
): Ciphertext[] {
  const plan = planPolynomials(polynomials)
  for (const { degree, depth } of polynomials)
    if (input.level < depth)
      throw new LevelError(
        `polynomial of degree ${degree}: expected level >= ${depth}, got ${input.level}: insert a refresh before it, lower the degree or raise the number of levels`,
      )
  const evaluation = new Evaluation(engine, input, polynomials[0]!.basis, plan)
  try {
    return evaluation.run(polynomials.map(({ depth }) => engine.parameters.scaleAt(input.level - depth)))
  } finally {
    evaluation.dispose()
  }
}
