/**
 * Finds the compiled engine: a path given by HE_ML_NATIVE_PATH, a build in this checkout, then the platform package. When
 * none loads, the error lists every attempt with its reason, so that a user sees what to install.
 */
import { UnsupportedError } from '@he-ml/ckks-core'
import { addonPlaces, describeAttempts, loadAddon } from '@he-ml/native-runtime'
import type { Binding } from './binding.ts'

let loaded: Binding | undefined

/**
 * The compiled engine.
 * @throws UnsupportedError listing every attempt, and what to do
 */
export function loadNative(): Binding {
  if (loaded) return loaded
  const places = addonPlaces({
    forced: process.env.HE_ML_NATIVE_PATH,
    from: import.meta.url,
    addon: 'he_ml_native',
    package: '@he-ml/ckks-native',
  })
  const { binding, attempts } = loadAddon<Binding>(places, import.meta.url)
  if (!binding)
    throw new UnsupportedError(
      `the native engine could not be loaded; tried\n${describeAttempts(attempts)}\nBuild it with "npm run build:native" (CMake 3.20 and a C++20 compiler), or use @he-ml/ckks-seal`,
    )
  loaded = binding
  return binding
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
