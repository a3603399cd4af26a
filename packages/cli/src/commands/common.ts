import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { dirname, resolve } from 'node:path'
import { InvalidArgumentError as WrongPathError } from '@he-ml/ckks-core'
import { onFile } from '@he-ml/ckks-core/node'
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

/** Adds --engine. */
export function withEngine(command: Command): Command {
  return command.addOption(new Option('--engine <name>', 'engine to use').choices(ENGINES).default('auto'))
}

/** Adds --threads. */
export function withThreads(command: Command): Command {
  return command.option('--threads <count>', 'worker threads', integer(1, 256), availableParallelism())
}

/** Fails before long work, rather than after it, when a result could not be written. @throws FileSystemError */
export async function assertWritableFolder(file: string | undefined): Promise<void> {
  if (file === undefined) return
  const folder = dirname(resolve(file))
  await onFile(folder, access(folder, constants.W_OK))
  const found = await stat(file).catch(() => undefined)
  if (found?.isDirectory()) throw new WrongPathError(`${file} is a folder: give the name of a file`)
}
