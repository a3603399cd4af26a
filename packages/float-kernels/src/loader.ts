/** Finds the compiled kernels: at the path given by HE_ML_FLOAT_KERNELS_PATH, or else as built in this package, then in the platform's. */
import { UnsupportedError } from '@he-ml/ckks-core'
import { addonPlaces, environmentVariable, loadAddon, missingAddonMessage } from '@he-ml/native-runtime'
import type { FloatBinding } from './native/binding.ts'

let loaded: FloatBinding | undefined

/** @throws UnsupportedError listing every place that was tried, and what to do */
export function loadFloatKernels(): FloatBinding {
  if (loaded) return loaded
  const places = {
    forced: environmentVariable('HE_ML_FLOAT_KERNELS_PATH'),
    from: import.meta.url,
    addon: 'he_ml_float',
    package: '@he-ml/float-kernels',
  }
  const { binding, attempts } = loadAddon<FloatBinding>(addonPlaces(places), import.meta.url)
  if (!binding) {
    const what = 'the native f32 kernels'
    const rest = { what, variable: 'HE_ML_FLOAT_KERNELS_PATH', instead: 'referenceKernels', attempts }
    throw new UnsupportedError(missingAddonMessage({ ...places, ...rest }))
  }
  loaded = binding
  return binding
}
