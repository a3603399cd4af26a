/**
 * Finds a compiled module: beside the path given by HE_ML_NATIVE_PATH (that of the engine's), in a build of this checkout, then in
 * the platform package. When none loads, the error lists every attempt with its reason, so that a user sees what to install.
 */
import { dirname, join } from 'node:path'
import { UnsupportedError } from '@he-ml/ckks-core'
import { addonPlaces, describeAttempts, loadAddon } from '@he-ml/native-runtime'

/** The engine's module and the client's; neither holds anything of the other. */
export type ModuleName = 'he_ml_native' | 'he_ml_client'

const loaded = new Map<ModuleName, unknown>()

function places(name: ModuleName): string[] {
  const forced = process.env.HE_ML_NATIVE_PATH
  if (forced) return [name === 'he_ml_native' ? forced : join(dirname(forced), `${name}.node`)]
  const [build, platform] = addonPlaces({ from: import.meta.url, addon: name, package: '@he-ml/ckks-native' })
  // one package for a platform, with both modules
  return [build!, `${platform}/${name}.node`]
}

/**
 * A compiled module, loaded once.
 * @throws UnsupportedError listing every attempt, and what to do
 */
export function loadModule(name: ModuleName): unknown {
  if (loaded.has(name)) return loaded.get(name)
  const { binding, attempts } = loadAddon(places(name), import.meta.url)
  if (binding === undefined)
    throw new UnsupportedError(
      `the native ${name === 'he_ml_native' ? 'engine' : 'client'} could not be loaded; tried\n${describeAttempts(attempts)}\nBuild it with "npm run build:native" (CMake 3.20 and a C++20 compiler), or use @he-ml/ckks-seal`,
    )
  loaded.set(name, binding)
  return binding
}
