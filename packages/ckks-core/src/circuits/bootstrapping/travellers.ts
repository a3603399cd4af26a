/** What goes through a bootstrap together: one ciphertext alone, or two of real values as one complex one. */
import { InvalidArgumentError } from '../../errors/errors.ts'
import type { Ciphertext } from '../../port/handles.ts'

/** @throws InvalidArgumentError for anything but a list of pairs and single ones, at least one */
export function assertTravellers(travellers: readonly (readonly [Ciphertext, Ciphertext?])[], operation: string): void {
  const right =
    Array.isArray(travellers) &&
    travellers.length > 0 &&
    travellers.every((of) => Array.isArray(of) && of[0] != null && (of.length === 1 || of.length === 2))
  if (!right)
    throw new InvalidArgumentError(
      `${operation}: expected a list of [ciphertext] or [ciphertext, ciphertext], at least one of them`,
    )
}
