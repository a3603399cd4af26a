import { DisposedError, ParameterMismatchError, SecurityError } from '../errors/errors.ts'
import type { AnyParameters } from '../parameters/parameters.ts'
import type { KeyRequest } from '../port/keys.ts'
import type {
  ClientEngine,
  EncryptionInput,
  EncryptionOptions,
  KeyFile,
  KeyGenerationOptions,
  PrivateSlots,
  Provenance,
} from './client-engine.ts'
import { type PublicationOptions, type PublishedSlots, publicationSigma, publishSlots } from './publication.ts'
import type { SecretKey } from './secret-key.ts'

/**
 * The part of a client that no engine should write again: publication with its query count. The count is per key and
 * process; who restarts must declare what was used before as part of `queries`.
 */
export abstract class BaseClientEngine implements ClientEngine {
  abstract readonly name: string
  readonly parameters: AnyParameters
  readonly #published = new WeakMap<SecretKey, number>()

  constructor(parameters: AnyParameters) {
    this.parameters = parameters
  }

  abstract generateSecretKey(): Promise<SecretKey>
  abstract exportSecretKey(key: SecretKey, options?: Provenance): Promise<Uint8Array>
  abstract importSecretKey(bytes: Uint8Array): Promise<SecretKey>
  abstract generatePublicKey(key: SecretKey, options?: Provenance): Promise<Uint8Array>
  abstract generateEvaluationKeys(
    key: SecretKey,
    request: KeyRequest,
    options?: KeyGenerationOptions,
  ): AsyncIterable<KeyFile>
  abstract encrypt(
    key: SecretKey | Uint8Array,
    inputs: readonly EncryptionInput[],
    options?: EncryptionOptions,
  ): Promise<Uint8Array>
  abstract decrypt(key: SecretKey, file: Uint8Array): Promise<PrivateSlots[]>
  abstract dispose(): Promise<void>

  async decryptForPublication(
    key: SecretKey,
    file: Uint8Array,
    options: PublicationOptions,
  ): Promise<PublishedSlots[]> {
    publicationSigma(options)
    const results = await this.decrypt(key, file)
    const used = this.#published.get(key) ?? 0
    if (used + results.length > options.queries)
      throw new SecurityError(
        `publication: ${used} of ${options.queries} declared queries are used, ${results.length} more are wanted: make a new key, or declare more queries from the start`,
      )
    // counted before the values exist: a failure below costs a query, never gives one
    this.#published.set(key, used + results.length)
    return results.map((slots) => publishSlots(slots, options))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }

  /** @throws DisposedError, ParameterMismatchError */
  protected checkKey(key: SecretKey, operation: string): void {
    if (key.disposed) throw new DisposedError(`${operation}: the secret key was disposed of before`)
    if (key.parameters.id !== this.parameters.id)
      throw new ParameterMismatchError(
        `${operation}: the secret key belongs to parameters ${key.parameters.id}, the engine to ${this.parameters.id}`,
      )
  }
}
