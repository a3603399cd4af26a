import { InvalidArgumentError } from 'commander'

export function positive(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('expected a positive integer.')
  return value
}

/** "1,2" */
export const positiveList = (text: string): number[] => text.split(',').map(positive)
