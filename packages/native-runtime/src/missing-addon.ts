/** What to say when no place gave an addon: what was tried and why it failed, and the one command that helps. */
import { type AddonPlaces, describeAttempts, type LoadAttempt, packageRootOf } from './load-addon.ts'
import { nodeModules } from './node-modules.ts'

/** An addon that could not be loaded. */
export interface MissingAddon extends AddonPlaces {
  /** What is missing, as a sentence begins with it: `the native engine`. */
  readonly what: string
  /** Name of the environment variable that `forced` comes from. */
  readonly variable: string
  /** What can be used in its place. */
  readonly instead: string
  /** Every place that was tried, in order; none where there is no Node. */
  readonly attempts: readonly LoadAttempt[]
}

/**
 * The message of an error. Its command is that which builds the addon from the sources in the package, by the package's own path:
 * right for a direct dependency and for one of a dependency, for every package manager, and in a checkout.
 */
export function missingAddonMessage({ what, forced, variable, from, addon, instead, attempts }: MissingAddon): string {
  const node = nodeModules()
  if (node === undefined) return `${what} runs under Node alone: use ${instead}`
  const command = `node "${node.path.join(packageRootOf(from, node), 'scripts', 'build.mjs')}"`
  const advice = forced
    ? `${variable} replaces every other place: unset it, or let it name a compiled ${addon}.node`
    : `Build from source, with CMake 3.20 and a C++20 compiler: ${command}`
  return `${what} could not be loaded; tried\n${describeAttempts(attempts)}\n${advice}\nor use ${instead}`
}
