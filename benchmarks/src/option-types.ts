import { InvalidArgumentError } from 'commander'

export function positive(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('expected a positive integer.')
  return value
}

export function wholeNumber(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('expected 0 or a positive integer.')
  return value
}

/** Above 0, at most 1. */
export function fraction(text: string): number {
  const value = Number(text)
  if (!(value > 0 && value <= 1)) throw new InvalidArgumentError('expected a number above 0, at most 1.')
  return value
}

/** "1,2" */
export const positiveList = (text: string): number[] => text.split(',').map(positive)

export function atLeastTwo(text: string): number {
  const value = positive(text)
  if (value < 2) throw new InvalidArgumentError('expected at least 2.')
  return value
}

/** One of the words given. */
export const choice =
  (...words: readonly string[]) =>
  (text: string): string => {
    if (!words.includes(text)) throw new InvalidArgumentError(`expected ${words.join(' or ')}.`)
    return text
  }

/** "a,b": some of the words given. */
export const choices =
  (...words: readonly string[]) =>
  (text: string): string[] =>
    text.split(',').map(choice(...words))
