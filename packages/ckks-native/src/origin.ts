import type { BindingLane } from './binding.ts'
import type { LoadedKeys } from './keys/loaded-keys.ts'

/** What every lane of an engine shares. */
export interface Origin {
  /** The engine: owner of all handles. */
  readonly owner: object
  /** The compiled engine's own lane, which outlives all others. */
  readonly binding: BindingLane
  readonly keys: LoadedKeys
}
