/** What options of the examples are. */
import { totalmem } from 'node:os'
import { InvalidArgumentError as BadValue } from 'commander'

/** A positive integer. */
export function positive(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) throw new BadValue('expected a positive integer.')
  return value
}

export function positiveNumber(text: string): number {
  const value = Number(text)
  if (!Number.isFinite(value) || value <= 0) throw new BadValue('expected a positive number.')
  return value
}

/** Bytes; a control group may allow less than there are, and says 0 or something absurd where it does not. */
export function machineMemory(): number {
  const allowed = process.constrainedMemory?.() ?? 0
  return allowed > 0 ? Math.min(allowed, totalmem()) : totalmem()
}
