import type { AnyParameters } from '../parameters/parameters.ts'
import { randomId } from './random-id.ts'

/**
 * The client's secret. It lives in the engine's memory, is overwritten when disposed of, has no `toJSON` and leaves only
 * through `exportSecretKey`. Never give one to a server.
 */
export interface SecretKey extends Disposable {
  /** Parameters of everything made with it. */
  readonly parameters: AnyParameters
  /** Random name carried by everything made with it: 32 hex digits. Public. */
  readonly keyId: string
  /** Whether it was overwritten. */
  readonly disposed: boolean
  /** Overwrites the key; afterwards every use throws DisposedError. Twice is harmless. */
  dispose(): void
}

/** A fresh name for a secret key. */
export const createKeyId = (): string => randomId()
