import { type ActivationFunction, type ActivationName, activationFunction, isActivationName } from './functions.ts'

/** Every eighth from -8 to 8, then powers of two up to 1024. */
const POINTS: readonly number[] = [
  ...Array.from({ length: 129 }, (_, i) => (i - 64) / 8),
  ...[16, 32, 64, 128, 256, 512, 1024].flatMap((x) => [-x, x]),
]

/**
 * What tells a function from others, as plain JSON, for digests: of the catalogue its name; of any other name, version and its values at
 * 143 fixed points, rounded to single precision, since machines differ in the last bits of exp and its like. Functions that agree there
 * and bear one name and version count as the same.
 *
 * @throws InvalidArgumentError for an unknown name
 */
export function activationIdentity(fn: ActivationName | ActivationFunction): string | readonly unknown[] {
  const { name, version, evaluate } = activationFunction(fn)
  if (isActivationName(name)) return name
  return [name, version ?? null, POINTS.map((x) => String(Math.fround(evaluate(x)) + 0))]
}
