import type { ClientBinding } from '../binding.ts'
import { loadModule } from '../load-module.ts'

/** The compiled client. @throws UnsupportedError listing every place that was tried, and what to do */
export const loadNativeClient = (): ClientBinding => loadModule('he_ml_client') as ClientBinding
