/** What sums of numbers times ciphertexts need. */
import { InvalidArgumentError, LevelError, ScaleError } from '../errors/errors.ts'
import type { AnyParameters } from '../parameters/parameters.ts'
import type { CiphertextMeta } from './base-handle.ts'
import type { WeightMatrix } from './engine.ts'
import { fittingScale, requireSameLevelAndScale, sameScale } from './operand-checks.ts'

/** By what a constant is multiplied so that its product has the sum's scale. @throws LevelError, ScaleError */
export function missingScale(
  first: Pick<CiphertextMeta, 'level'>,
  x: CiphertextMeta,
  scale: number,
  operation: string,
): number {
  if (!(Number.isFinite(scale) && scale >= 1))
    throw new ScaleError(`${operation}: a scale must be finite and at least 1, got ${scale}`)
  if (x.level !== first.level)
    throw new LevelError(`${operation}: levels ${first.level} and ${x.level} differ: drop the higher`)
  const missing = sameScale(x.scale, scale) ? 1 : scale / x.scale
  if (!(missing >= 1 && Number.isFinite(missing)))
    throw new ScaleError(
      `${operation}: a term has scale 2^${Math.log2(x.scale)}, above the sum's 2^${Math.log2(scale)}`,
    )
  return missing
}

/** Of the sum. @throws InvalidArgumentError without terms; ScaleError for a scale that the modulus has no room for */
export function combinationMeta(
  parameters: AnyParameters,
  terms: readonly CiphertextMeta[],
  scale: number,
  operation: string,
): CiphertextMeta {
  const level = terms[0]?.level
  if (level === undefined) throw new InvalidArgumentError(`${operation}: at least one term is needed`)
  return {
    level,
    scale: fittingScale(parameters, scale, level, operation),
    slots: terms.reduce((most, { slots }) => Math.max(most, slots), 0),
    degree: terms.some(({ degree }) => degree === 2) ? 2 : 1,
  }
}

/** Of a matrix product. @throws InvalidArgumentError for another number of inputs than columns, or weights that are not finite */
export function assertWeights({ rows, columns, data }: WeightMatrix, inputs: number): void {
  if (columns !== inputs || data.length !== rows * columns)
    throw new InvalidArgumentError(
      `matrixProduct: ${rows} x ${columns} weights with ${data.length} values do not fit ${inputs} inputs`,
    )
  for (const w of data) if (!Number.isFinite(w)) throw new InvalidArgumentError('matrixProduct: weights must be finite')
}

/** Of a sum of at least one product. @throws LevelError, ScaleError for different levels or scales */
export function sumOfProductsMeta(products: readonly CiphertextMeta[], operation: string): CiphertextMeta {
  const [first] = products
  for (const product of products) requireSameLevelAndScale(first!, product, operation)
  return { ...first!, slots: products.reduce((most, { slots }) => Math.max(most, slots), 1) }
}
