/**
 * The part of a client that no engine should write again: what is checked before anything is encrypted or decrypted, and
 * publication by the ledger.
 */
import { DisposedError, ParameterMismatchError } from '../errors/errors.ts'
import type { AnyParameters } from '../parameters/parameters.ts'
import type { KeyRequest } from '../port/keys.ts'
import type { PlanContract } from '../port/plan-contract.ts'
import { assertPublishable } from './assert-publishable.ts'
import type {
  ClientEngine,
  DecryptionOptions,
  EncryptionInput,
  EncryptionOptions,
  KeyFile,
  KeyGenerationOptions,
  PrivateSlots,
  Provenance,
} from './client-engine.ts'
import { checkResult, type FileFacts } from './file-facts.ts'
import { floodSlots } from './flood-slots.ts'
import { countQuery } from './ledger/count-query.ts'
import type { LedgerState } from './ledger/ledger.ts'
import { rememberRequest } from './ledger/remember-request.ts'
import { type EncryptionTask, prepareEncryption } from './prepare-encryption.ts'
import { type PublicationOptions, type PublishedSlots, publishedPositions } from './publication.ts'
import type { SecretKey } from './secret-key.ts'

/** See {@link ClientEngine}. */
export abstract class BaseClientEngine implements ClientEngine {
  abstract readonly name: string
  /** Parameters of every key and ciphertext it makes. */
  readonly parameters: AnyParameters
  /** Who says nothing cannot publish. */
  readonly errorsWithinPlan: boolean = false

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
  abstract readFacts(file: Uint8Array): FileFacts
  abstract dispose(): Promise<void>
  /** Encrypts what has been checked. */
  protected abstract encryptTask(key: SecretKey | Uint8Array, task: EncryptionTask): Promise<Uint8Array>
  /** Decrypts what has been checked, as far as its owner asked for it. */
  protected abstract decryptFile(key: SecretKey, file: Uint8Array): Promise<PrivateSlots[]>

  async encrypt(
    key: SecretKey | Uint8Array,
    inputs: readonly EncryptionInput[],
    options: EncryptionOptions = {},
  ): Promise<Uint8Array> {
    const { ledger } = options
    const state = ledger && (await this.#stateFor(key, ledger.read(), 'encrypt'))
    const { task, outOfRange } = prepareEncryption(this.parameters, inputs, options, state?.contract)
    const file = await this.encryptTask(key, task)
    // remembered before the file leaves
    await ledger?.update((s) => rememberRequest(s, { id: task.request, ...(outOfRange ? { outOfRange } : {}) }))
    return file
  }

  async decrypt(key: SecretKey, file: Uint8Array, { contract }: DecryptionOptions = {}): Promise<PrivateSlots[]> {
    this.checkKey(key, 'decrypt')
    if (contract) checkResult(this.readFacts(file), this.#own(contract, 'decrypt'), key.keyId)
    return this.decryptFile(key, file)
  }

  async decryptForPublication(
    key: SecretKey,
    file: Uint8Array,
    options: PublicationOptions,
  ): Promise<PublishedSlots[]> {
    const operation = 'decryptForPublication'
    this.checkKey(key, operation)
    assertPublishable(this)
    const { queries, statisticalBits = 40, precisionBits = 0, complex = false, ledger } = options
    const { contract } = await this.#stateFor(key, ledger.read(), operation)
    const positions = publishedPositions(contract.output.slots, options)
    const numbers = positions.length * contract.output.ciphertexts * (complex ? 2 : 1)
    const facts = this.readFacts(file)
    checkResult(facts, contract, key.keyId)
    // counted before the values exist: a failure below costs a query, never gives one
    const request = facts.names?.request
    const { terms } = await ledger.update((state) =>
      countQuery(state, { queries, statisticalBits, numbers, precisionBits, request }),
    )
    const results = await this.decryptFile(key, file)
    const flooding = { positions, complex, terms: terms!, errorBound: contract.errorBound }
    return results.map((slots) => floodSlots(slots, flooding))
  }

  /** As `dispose`. */
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

  /** The ledger's state, which must be the key's. */
  async #stateFor(key: SecretKey | Uint8Array, reading: Promise<LedgerState>, operation: string): Promise<LedgerState> {
    const state = await reading
    const keyId = key instanceof Uint8Array ? '(a public key)' : key.keyId
    if (state.keyId !== keyId)
      throw new ParameterMismatchError(
        `${operation}: the ledger is of secret key ${state.keyId}, the key is ${keyId}: a ledger goes with its own secret key`,
      )
    this.#own(state.contract, operation)
    return state
  }

  #own(contract: PlanContract, operation: string): PlanContract {
    if (contract.parameters !== this.parameters.id)
      throw new ParameterMismatchError(
        `${operation}: the plan's parameters are ${contract.parameters}, the engine's ${this.parameters.id}`,
      )
    return contract
  }
}
