import { availableParallelism } from 'node:os'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { ENGINES } from '../engines.ts'

/** Options that every working command has. */
export interface CommonOptions {
  readonly json?: boolean
  readonly quiet?: boolean
}

export const integer =
  (min: number, max: number) =>
  (text: string): number => {
    const value = Number(text)
    if (!Number.isInteger(value) || value < min || value > max)
      throw new InvalidArgumentError(`expected an integer from ${min} to ${max}.`)
    return value
  }

export const decimal =
  (min: number, max: number) =>
  (text: string): number => {
    const value = Number(text)
    if (!(text.trim() !== '' && value >= min && value <= max))
      throw new InvalidArgumentError(`expected a number from ${min} to ${max}.`)
    return value
  }

/** Adds --json and --quiet. */
export function withOutput(command: Command): Command {
  return command.option('--json', 'print the result as JSON').option('-q, --quiet', 'no progress')
}

/** Adds --engine and --threads. */
export function withEngine(command: Command): Command {
  return command
    .addOption(new Option('--engine <name>', 'engine to use').choices(ENGINES).default('auto'))
    .option('--threads <count>', 'worker threads', integer(1, 1024), availableParallelism())
}
