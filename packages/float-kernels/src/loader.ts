/** Finds the compiled kernels: a path given by HE_ML_FLOAT_KERNELS_PATH, a build in this checkout, then the platform package. */
import { UnsupportedError } from '@he-ml/ckks-core'
import { addonPlaces, describeAttempts, loadAddon } from '@he-ml/native-runtime'
import type { FloatBinding } from './native/binding.ts'

let loaded: FloatBinding | undefined

/** @throws UnsupportedError listing every place that was tried, and what to do */
export function loadFloatKernels(): FloatBinding {
  if (loaded) return loaded
  const places = addonPlaces({
    forced: process.env.HE_ML_FLOAT_KERNELS_PATH,
    from: import.meta.url,
    addon: 'he_ml_float',
    package: '@he-ml/float-kernels',
  })
  const { binding, attempts } = loadAddon<FloatBinding>(places, import.meta.url)
  if (!binding)
    throw new UnsupportedError(
      `the native float kernels could not be loaded; tried\n${describeAttempts(attempts)}\nBuild them with "npm run build:native" (CMake 3.20 and a C++20 compiler), or use referenceKernels`,
    )
  loaded = binding
  return binding
}
