/**
 * Finds a compiled module: beside the path given by HE_ML_NATIVE_PATH (that of the engine's), in a build of this checkout, then in
 * the platform package. When none loads, the error lists every attempt with its reason, so that a user sees what to install.
 */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { UnsupportedError } from '@he-ml/ckks-core'

/** One place that was tried. */
export interface LoadAttempt {
  readonly path: string
  /** Why it did not work; absent for the one that did. */
  readonly problem?: string
}

/** The engine's module and the client's; neither holds anything of the other. */
export type ModuleName = 'he_ml_native' | 'he_ml_client'

const require = createRequire(import.meta.url)
const loaded = new Map<ModuleName, unknown>()

function candidates(name: ModuleName): string[] {
  const forced = process.env.HE_ML_NATIVE_PATH
  const file = `${name}.node`
  if (forced) return [name === 'he_ml_native' ? forced : join(dirname(forced), file)]
  const packageRoot = dirname(dirname(fileURLToPath(import.meta.url)))
  return [join(packageRoot, 'build', 'release', file), `@he-ml/ckks-native-${process.platform}-${process.arch}/${file}`]
}

function attempt(path: string): { module: unknown } | { problem: string } {
  try {
    if (isAbsolute(path) && !existsSync(path)) return { problem: 'no such file' }
    return { module: require(path) }
  } catch (error) {
    return { problem: error instanceof Error ? error.message.split('\n')[0]! : String(error) }
  }
}

/**
 * A compiled module, loaded once.
 * @throws UnsupportedError listing every attempt, and what to do
 */
export function loadModule(name: ModuleName): unknown {
  if (loaded.has(name)) return loaded.get(name)
  const attempts: LoadAttempt[] = []
  for (const path of candidates(name)) {
    const result = attempt(path)
    if ('module' in result) {
      loaded.set(name, result.module)
      return result.module
    }
    attempts.push({ path, problem: result.problem })
  }
  const tried = attempts.map((a) => `  ${a.path}: ${a.problem}`).join('\n')
  throw new UnsupportedError(
    `the native ${name === 'he_ml_native' ? 'engine' : 'client'} could not be loaded; tried\n${tried}\nBuild it with "npm run build:native" (CMake 3.20 and a C++20 compiler), or use @he-ml/ckks-seal`,
  )
}
