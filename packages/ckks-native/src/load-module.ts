/**
 * Finds a compiled module: at the path given by HE_ML_NATIVE_PATH (that of the engine's; the client's lies beside it), or else as built
 * in this package's folder, then in the platform's package. When none loads, the error lists every attempt with its reason, and the
 * command that builds it.
 */
import { dirname, join } from 'node:path'
import { UnsupportedError } from '@he-ml/ckks-core'
import { addonPlaces, loadAddon, missingAddonMessage } from '@he-ml/native-runtime'

/** The engine's module and the client's; neither holds anything of the other. */
export type ModuleName = 'he_ml_native' | 'he_ml_client'

const loaded = new Map<ModuleName, unknown>()

const forcedPath = (name: ModuleName): string | undefined => {
  const engine = process.env.HE_ML_NATIVE_PATH
  return engine && name === 'he_ml_client' ? join(dirname(engine), `${name}.node`) : engine
}

/**
 * A compiled module, loaded once.
 * @throws UnsupportedError listing every attempt, and what to do
 */
export function loadModule(name: ModuleName): unknown {
  if (loaded.has(name)) return loaded.get(name)
  // one package for a platform, with both modules
  const places = { forced: forcedPath(name), from: import.meta.url, addon: name, package: '@he-ml/ckks-native' }
  const { binding, attempts } = loadAddon(addonPlaces(places), import.meta.url)
  if (binding === undefined) {
    const what = `the native ${name === 'he_ml_native' ? 'engine' : 'client'}`
    const rest = { what, variable: 'HE_ML_NATIVE_PATH', instead: '@he-ml/ckks-seal', attempts }
    throw new UnsupportedError(missingAddonMessage({ ...places, ...rest }))
  }
  loaded.set(name, binding)
  return binding
}
