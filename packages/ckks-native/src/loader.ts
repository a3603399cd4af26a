/**
 * Finds the compiled engine: a path given by HE_ML_NATIVE_PATH, a build in this checkout, then the platform package. When
 * none loads, the error lists every attempt with its reason, so that a user sees what to install.
 */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { UnsupportedError } from '@he-ml/ckks-core'
import type { Binding } from './binding.ts'

/** One place that was tried. */
export interface LoadAttempt {
  readonly path: string
  /** Why it did not work; absent for the one that did. */
  readonly problem?: string
}

const require = createRequire(import.meta.url)
let loaded: { binding: Binding; attempts: readonly LoadAttempt[] } | undefined

function candidates(): string[] {
  const forced = process.env.HE_ML_NATIVE_PATH
  if (forced) return [forced]
  const packageRoot = dirname(dirname(fileURLToPath(import.meta.url)))
  return [
    join(packageRoot, 'build', 'release', 'he_ml_native.node'),
    `@he-ml/ckks-native-${process.platform}-${process.arch}`,
  ]
}

function attempt(path: string): { binding: Binding } | { problem: string } {
  try {
    if (path.endsWith('.node') && !existsSync(path)) return { problem: 'no such file' }
    return { binding: require(path) as Binding }
  } catch (error) {
    return { problem: error instanceof Error ? error.message.split('\n')[0]! : String(error) }
  }
}

/**
 * The compiled engine and what was tried to get it.
 * @throws UnsupportedError listing every attempt, and what to do
 */
export function loadNative(): { binding: Binding; attempts: readonly LoadAttempt[] } {
  if (loaded) return loaded
  const attempts: LoadAttempt[] = []
  for (const path of candidates()) {
    const result = attempt(path)
    if ('binding' in result) {
      attempts.push({ path })
      loaded = { binding: result.binding, attempts }
      return loaded
    }
    attempts.push({ path, problem: result.problem })
  }
  const tried = attempts.map((a) => `  ${a.path}: ${a.problem}`).join('\n')
  throw new UnsupportedError(
    `the native engine could not be loaded; tried\n${tried}\nBuild it with "npm run build:native" (CMake 3.20 and a C++20 compiler), or use @he-ml/ckks-seal`,
  )
}

/** Whether the native engine can be used here; never throws. */
export function nativeAvailable(): boolean {
  try {
    loadNative()
    return true
  } catch {
    return false
  }
}
