import { type AnyParameters, ephemeralSpecials } from '@he-ml/ckks-core'
import type { BindingSpec } from './binding.ts'

/** The parameter literal as the compiled engine takes it. */
export function bindingSpec(parameters: AnyParameters): BindingSpec {
  return {
    logN: parameters.logN,
    levels: parameters.q,
    special: parameters.p,
    digitLimbs: parameters.digitLimbs,
    ephemeralSpecials: ephemeralSpecials(parameters),
  }
}
