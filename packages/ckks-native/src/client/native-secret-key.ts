import { type AnyParameters, DisposedError, ParameterMismatchError } from '@he-ml/ckks-core'
import type { SecretKey } from '@he-ml/ckks-core/client'
import type { BindingClient, SecretKeyHandle } from '../binding.ts'

/** A secret key in the compiled engine's wiped memory. */
export class NativeSecretKey implements SecretKey {
  readonly parameters: AnyParameters
  readonly keyId: string
  readonly #binding: BindingClient
  #handle: SecretKeyHandle | undefined

  constructor(parameters: AnyParameters, binding: BindingClient, handle: SecretKeyHandle, keyId: string) {
    this.parameters = parameters
    this.keyId = keyId
    this.#binding = binding
    this.#handle = handle
  }
  get disposed(): boolean {
    return this.#handle === undefined
  }
  dispose(): void {
    if (this.#handle === undefined) return
    this.#binding.releaseSecretKey(this.#handle)
    this.#handle = undefined
  }
  [Symbol.dispose](): void {
    this.dispose()
  }
  /** @throws DisposedError, ParameterMismatchError for a key of another client */
  handleFor(binding: BindingClient, operation: string): SecretKeyHandle {
    if (this.#handle === undefined) throw new DisposedError(`${operation}: the secret key was disposed of before`)
    if (binding !== this.#binding)
      throw new ParameterMismatchError(`${operation}: the secret key belongs to another client; export and import it`)
    return this.#handle
  }
}
