import { type Command, InvalidArgumentError } from 'commander'
import type { Show } from '../show.ts'

/** What commands work in. */
export interface Surroundings {
  readonly show: Show
  readonly signal: AbortSignal
}

/** Options that all commands with data have. */
export interface CommonOptions {
  readonly data: string
  readonly threads?: number
  readonly plain?: boolean
  readonly samples?: number
}

export const addCommon = (command: Command): Command =>
  command
    .option('--data <folder>', 'folder with the files of MNIST', '../shared/data/mnist')
    .option('--threads <n>', 'threads of the native kernels; default: all cores', integerFrom(1))
    .option('--plain', 'plain TypeScript instead of the native kernels')
    .option('--samples <n>', 'only the first so many samples, for a try', integerFrom(1))

/** A parser of options. */
export const integerFrom =
  (least: number) =>
  (text: string): number => {
    const value = Number(text)
    if (!Number.isSafeInteger(value) || value < least)
      throw new InvalidArgumentError(`expected an integer >= ${least}.`)
    return value
  }

/** A model's path without the ending that its two files differ in. */
export const modelPath = (text: string): string => text.replace(/\.(json|safetensors)$/, '')
