/**
 * Node's own modules, asked for when an addon is looked for. No import names them, so that packages which use an addon where there
 * is one can be bundled for browsers, where there is none.
 */

/** What finding an addon needs of Node. */
export interface NodeModules {
  readonly fs: typeof import('node:fs')
  readonly module: typeof import('node:module')
  readonly path: typeof import('node:path')
  readonly url: typeof import('node:url')
}

interface Runtime {
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly getBuiltinModule?: (id: string) => unknown
}

const runtime = (): Runtime | undefined => (globalThis as { process?: Runtime }).process

/** Undefined where there is no Node. */
export function nodeModules(): NodeModules | undefined {
  const builtin = runtime()?.getBuiltinModule
  if (builtin === undefined) return undefined
  const [fs, module, path, url] = ['fs', 'module', 'path', 'url'].map((name) => builtin(`node:${name}`))
  return { fs, module, path, url } as NodeModules
}

/** An environment variable; undefined where it is not set, or where there is no environment. */
export const environmentVariable = (name: string): string | undefined => runtime()?.env?.[name]
