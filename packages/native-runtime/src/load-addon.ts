/** Finds a compiled addon among places, and remembers why each other place gave none. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** One place that was tried. */
export interface LoadAttempt {
  /** Path of the addon. */
  readonly path: string
  /** Why it did not work; absent for the one that did. */
  readonly problem?: string
}

/** An addon, or none; and everything that was tried, in order. */
export interface LoadedAddon<Binding> {
  /** What the addon exports; absent when every attempt failed. */
  readonly binding?: Binding
  /** At least one. */
  readonly attempts: readonly LoadAttempt[]
}

/** Where an addon may lie. */
export interface AddonPlaces {
  /** A path that replaces every other place, as an environment variable gives it. */
  readonly forced?: string | undefined
  /** Address of a module in the package's `src` or `dist`. */
  readonly from: string
  /** Name of the file without `.node`. */
  readonly addon: string
  /** Name of the package. */
  readonly package: string
}

/** The folder of the package that a module of its `src` or `dist` stands in. */
export const packageRootOf = (from: string): string => dirname(dirname(fileURLToPath(from)))

/**
 * In the order to try them: the forced one alone; or what was built in the package's folder, then the file of the platform's
 * package, which has the package's name with platform and architecture.
 */
export function addonPlaces({ forced, from, addon, package: name }: AddonPlaces): string[] {
  if (forced) return [forced]
  const file = `${addon}.node`
  return [join(packageRootOf(from), 'build', 'release', file), `${name}-${process.platform}-${process.arch}/${file}`]
}

function problemOf(error: unknown, path: string): string {
  if (!(error instanceof Error)) return String(error)
  // Node's own message goes on with the stack of modules that asked
  if ('code' in error && error.code === 'MODULE_NOT_FOUND' && !isAbsolute(path)) return 'not installed'
  return error.message.split('\n')[0]!
}

/** The first addon that loads; never throws. Packages are looked for as from the module `from`. */
export function loadAddon<Binding>(places: readonly string[], from: string): LoadedAddon<Binding> {
  const require = createRequire(from)
  const attempts: LoadAttempt[] = []
  for (const path of places) {
    try {
      if (isAbsolute(path) && !existsSync(path)) throw new Error('no such file')
      const binding = require(path) as Binding
      attempts.push({ path })
      return { binding, attempts }
    } catch (error) {
      attempts.push({ path, problem: problemOf(error, path) })
    }
  }
  return { attempts }
}

/** A line for every attempt that failed, for error messages. */
export const describeAttempts = (attempts: readonly LoadAttempt[]): string =>
  attempts
    .filter((a) => a.problem !== undefined)
    .map((a) => `  ${a.path}: ${a.problem}`)
    .join('\n')
