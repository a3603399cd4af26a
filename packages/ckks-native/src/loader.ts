import type { Binding } from './binding.ts'
import { loadModule } from './load-module.ts'

/** The compiled engine. @throws UnsupportedError listing every place that was tried, and what to do */
export const loadNative = (): Binding => loadModule('he_ml_native') as Binding

/** Whether the native engine can be used here; never throws. */
export function nativeAvailable(): boolean {
  try {
    loadNative()
    return true
  } catch {
    return false
  }
}
