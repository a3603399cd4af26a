import type { AnyParameters } from '@he-ml/ckks-core'
import type { SecretKey } from '@he-ml/ckks-core/client'
import type { SealSecret } from '../backend/backend.ts'

/** A secret key in SEAL's heap; SEAL overwrites its memory when it is deleted. */
export class SealSecretKey implements SecretKey {
  readonly parameters: AnyParameters
  readonly keyId: string
  /** @internal */
  readonly object: SealSecret
  #disposed = false

  constructor(parameters: AnyParameters, object: SealSecret, keyId: string) {
    this.parameters = parameters
    this.object = object
    this.keyId = keyId
    Object.defineProperty(this, 'object', { enumerable: false })
  }
  get disposed(): boolean {
    return this.#disposed
  }
  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    this.object.delete()
  }
  [Symbol.dispose](): void {
    this.dispose()
  }
}
