/** What a prepared linear transform and a ciphertext must have in common, and which rotations it takes. */
import { InvalidArgumentError, LevelError } from '../errors/errors.ts'
import type { AnyParameters } from '../parameters/parameters.ts'
import type { CiphertextMeta } from './base-handle.ts'
import { normalizeSteps } from './galois.ts'
import type { PreparedLinearTransform } from './linear-transform.ts'
import { fittingScale, metaOf, sameScale } from './operand-checks.ts'

/** The product of a ciphertext. @throws LevelError, ScaleError, InvalidArgumentError for periods and diagonals that do not fit */
export function transformedMeta(
  parameters: AnyParameters,
  x: CiphertextMeta,
  { level, slots, scale, giants }: PreparedLinearTransform,
  operation: string,
): CiphertextMeta {
  if (x.level !== level)
    throw new LevelError(`${operation}: prepared for level ${level}, got a ciphertext at level ${x.level}`)
  if (x.slots > slots)
    throw new InvalidArgumentError(`${operation}: made for ${slots} slots, got a ciphertext of period ${x.slots}`)
  const diagonals = giants.flatMap(({ terms }) => terms.map(({ plaintext }) => plaintext))
  if (diagonals.length === 0) throw new InvalidArgumentError(`${operation}: the matrix has no diagonals`)
  for (const diagonal of diagonals) {
    if (diagonal.level < x.level)
      throw new LevelError(`${operation}: a diagonal is encoded at level ${diagonal.level}, below ${x.level}`)
    if (diagonal.slots > slots || !sameScale(diagonal.scale, scale))
      throw new InvalidArgumentError(
        `${operation}: a diagonal of period ${diagonal.slots} and scale 2^${Math.log2(diagonal.scale)} does not fit a transform of ${slots} slots and scale 2^${Math.log2(scale)}`,
      )
  }
  return { ...metaOf(x), slots, scale: fittingScale(parameters, x.scale * scale, x.level, operation) }
}

/** Baby and giant steps that need a key, each once. */
export function stepsOf({ giants, slots }: PreparedLinearTransform): ReadonlySet<number> {
  const steps = giants.flatMap(({ step, terms }) => [step, ...terms.map((term) => term.step)])
  const normal = new Set(steps.map((step) => normalizeSteps(step, slots)))
  normal.delete(0)
  return normal
}

/** What `raiseTransforms` takes. @throws InvalidArgumentError for fewer slots than N/2, or giant steps */
export function assertRaising({ maxSlots }: AnyParameters, { slots, giants }: PreparedLinearTransform): void {
  if (slots === maxSlots && giants.every(({ step }) => step === 0)) return
  throw new InvalidArgumentError(
    `raiseTransforms: expected a transform of ${maxSlots} slots without giant steps, got one of ${slots} with ${giants.length}: prepare it with split 'none'`,
  )
}
