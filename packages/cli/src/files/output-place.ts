/**
 * Where a path leads before anything is there: every symbolic link on the way resolved, "..", "." and all, as the system would
 * do it. Two names are one place, or one place lies in another, only after this; what is judged here is what is written to.
 */
import { constants, type Stats } from 'node:fs'
import { access, lstat, realpath, stat } from 'node:fs/promises'
import { dirname, join, parse, relative, sep } from 'node:path'
import { FileSystemError, InvalidArgumentError } from '@he-ml/ckks-core'
import { onFile, systemError } from '@he-ml/ckks-core/node'

export interface Place {
  /** As it was given, for messages. */
  readonly given: string
  /** Absolute, without symbolic links. */
  readonly real: string
  /** What is there; undefined for nothing. */
  readonly found: Stats | undefined
}

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT'

/**
 * @throws InvalidArgumentError for an empty path and for a link to nothing; FileSystemError for a file where a folder is
 *   needed
 */
export async function placeOf(given: string): Promise<Place> {
  if (given === '') throw new InvalidArgumentError('an empty path: give a name')
  const { root } = parse(given)
  let real = root === '' ? await realpath('.') : root
  for (const part of given.slice(root.length).split(sep === '\\' ? /[/\\]/ : '/')) {
    if (part === '' || part === '.') continue
    real = part === '..' ? dirname(real) : await follow(given, join(real, part))
  }
  return { given, real, found: await lstat(real).catch(absent(given)) }
}

/** One step: the place behind a name, which may not be there yet. */
async function follow(given: string, path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    if (!isMissing(error)) throw systemError(error, given)
    const link = await lstat(path).catch(() => undefined)
    if (link?.isSymbolicLink())
      throw new InvalidArgumentError(`${given}: ${path} is a symbolic link to nothing: remove it, or give another name`)
    return path
  }
}

const absent = (given: string) => (error: unknown) => {
  if (isMissing(error)) return undefined
  throw systemError(error, given)
}

/** Whether a place is another or lies in it. */
export function liesIn(inner: Place, outer: Place): boolean {
  const path = relative(outer.real, inner.real)
  return path === '' || (path !== '..' && !path.startsWith(`..${sep}`) && parse(path).root === '')
}

/** @throws FileSystemError when nothing can be made there: no right to write, or a file where a folder is needed */
export async function assertCanMake({ given, real }: Place): Promise<void> {
  for (let folder = dirname(real); ; folder = dirname(folder)) {
    const found = await stat(folder).catch(absent(given))
    if (found === undefined) continue
    if (!found.isDirectory()) throw new FileSystemError(given, 'ENOTDIR', `${folder} is no folder`)
    return onFile(given, access(folder, constants.W_OK | constants.X_OK))
  }
}
