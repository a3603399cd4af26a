/** Finds a compiled addon among places, and remembers why each other place gave none. */
import { type NodeModules, nodeModules } from './node-modules.ts'

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
  /** At least one, but where there is no Node: nothing was tried there. */
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
export const packageRootOf = (from: string, { path, url }: NodeModules): string =>
  path.dirname(path.dirname(url.fileURLToPath(from)))

/**
 * In the order to try them: the forced one alone; or what was built in the package's folder, then the file of the platform's
 * package, which has the package's name with platform and architecture. None where there is no Node.
 */
export function addonPlaces({ forced, from, addon, package: name }: AddonPlaces): string[] {
  if (forced) return [forced]
  const node = nodeModules()
  if (node === undefined) return []
  const file = `${addon}.node`
  const built = node.path.join(packageRootOf(from, node), 'build', 'release', file)
  return [built, `${name}-${process.platform}-${process.arch}/${file}`]
}

function problemOf(error: unknown, absolute: boolean): string {
  if (!(error instanceof Error)) return String(error)
  // Node's own message goes on with the stack of modules that asked
  if ('code' in error && error.code === 'MODULE_NOT_FOUND' && !absolute) return 'not installed'
  return error.message.split('\n')[0]!
}

/** The first addon that loads; never throws. Packages are looked for as from the module `from`. */
export function loadAddon<Binding>(places: readonly string[], from: string): LoadedAddon<Binding> {
  const node = nodeModules()
  if (node === undefined) return { attempts: [] }
  const require = node.module.createRequire(from)
  const attempts: LoadAttempt[] = []
  for (const path of places) {
    const absolute = node.path.isAbsolute(path)
    try {
      if (absolute && !node.fs.existsSync(path)) throw new Error('no such file')
      const binding = require(path) as Binding
      attempts.push({ path })
      return { binding, attempts }
    } catch (error) {
      attempts.push({ path, problem: problemOf(error, absolute) })
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
