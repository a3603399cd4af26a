/** A client in three calls: keys for the server, tensors encrypted, answers decrypted. */
import { type AnyParameters, checkArgument, type KeySource, type OptionCheck, optionCheck } from '@he-ml/ckks-core'
import type { ClientEngine, KeyGenerationOptions } from '@he-ml/ckks-core/client'
import { modelCheck, type Tensor } from '@he-ml/model'
import { type Plan, parametersOf, planCheck } from '@he-ml/pipeline'
import { assertMade } from '../assert-made.ts'
import { assertParameters } from '../assert-parameters.ts'
import { ClientSession } from './client-session.ts'

/** Makes a client's engine for the parameters of a plan: `createNativeClient`, `createSealClient`. */
export type MakeClientEngine = (parameters: AnyParameters) => ClientEngine | Promise<ClientEngine>

/** See {@link openClient}. What it does not offer (publication, public keys, links to servers) its `session` does. */
export class InferenceClient implements AsyncDisposable {
  /** All of the client's side. */
  readonly session: ClientSession

  constructor(session: ClientSession) {
    this.session = session
  }

  /** The plan that inputs are encrypted for. */
  get plan(): Plan {
    return this.session.plan
  }

  /**
   * The evaluation keys that the server needs, in memory; with large ones `writeServerFolder` (subpath `client/node`) takes less. They hold no secret.
   * @param options.onProgress after each key
   * @throws CancelledError through the signal
   */
  async evaluationKeys(options: Omit<KeyGenerationOptions, 'plan'> = {}): Promise<KeySource> {
    const files: Uint8Array[] = []
    for await (const { bytes } of this.session.evaluationKeys(options)) files.push(bytes)
    return { kind: 'memory', files, keyId: this.session.secret.keyId }
  }

  /**
   * One input, or as many as the plan takes at a time, as a file for the server.
   * @param input of the model's `inputShape`, normalised as at training; frames with time first
   * @throws InvalidArgumentError for another shape, too many, or values outside the range that the plan was calibrated for
   */
  encrypt(input: Tensor | readonly Tensor[]): Promise<Uint8Array> {
    return this.session.encrypt(
      modelCheck.tensor(input) === undefined ? [input as Tensor] : (input as readonly Tensor[]),
    )
  }

  /** The answer to one input. @throws ParameterMismatchError for a file that is no result under this key; FormatError */
  async decrypt(file: Uint8Array): Promise<Tensor> {
    const [answer] = await this.session.decrypt(file, 1)
    return answer!
  }

  /** The answers to as many inputs as were encrypted together, in their order. @param count default: as many as the plan takes at a time */
  decryptAll(file: Uint8Array, count: number = this.plan.batch): Promise<Tensor[]> {
    return this.session.decrypt(file, count)
  }

  /** Zeroes the secret key and ends the engine. */
  dispose(): Promise<void> {
    return this.session.dispose()
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }
}

/**
 * A client with a fresh secret key, which dies with it. To keep the key use `createClientFolder` of the subpath `client/node`.
 *
 * @throws SecurityError when the plan's parameters are not 128-bit secure; UnsupportedError when the engine cannot hold them;
 *   ParameterMismatchError for an engine that was made for others
 * @example
 * ```ts
 * import { createNativeHost } from '@he-ml/ckks-native'
 * import { createNativeClient } from '@he-ml/ckks-native/client'
 * import { createTensor, Model } from '@he-ml/model'
 * import { linear } from '@he-ml/nn-layers'
 * import { compileAndBind } from '@he-ml/pipeline'
 * import { openServer } from '@he-ml/session'
 * import { openClient } from '@he-ml/session/client'
 *
 * const layer = linear({ name: 'sum', weights: createTensor([1, 4], Float64Array.of(1, 2, 3, 4)) })
 * const bound = await compileAndBind(
 *   new Model({ name: 'toy', input: { name: 'x', shape: [4] }, nodes: [{ layer, inputs: ['x'] }] }),
 * )
 * await using client = await openClient(bound.plan, createNativeClient)
 * await using server = await openServer(bound, createNativeHost, await client.evaluationKeys())
 * const file = await client.encrypt(createTensor([4], Float64Array.of(0.1, 0.2, 0.3, 0.4)))
 * const answer = await client.decrypt(await server.run(file))
 * console.log(answer.data[0]) // 3, nearly
 * ```
 */
export async function openClient(plan: Plan, makeEngine: MakeClientEngine): Promise<InferenceClient> {
  return new InferenceClient(await ClientSession.create(plan, await makeClientEngine(plan, makeEngine)))
}

/** @throws ParameterMismatchError for an engine that was made for other parameters, which is disposed of */
export async function makeClientEngine(plan: Plan, makeEngine: MakeClientEngine): Promise<ClientEngine> {
  checkArgument('openClient', 'plan', plan, planCheck.plan)
  checkArgument('openClient', 'makeEngine', makeEngine, makesEngine)
  const parameters = parametersOf(plan)
  const engine = await makeEngine(parameters)
  await assertMade('openClient', 'makeEngine', engine, isClientEngine)
  try {
    assertParameters('client', engine, parameters)
    return engine
  } catch (error) {
    await engine.dispose()
    throw error
  }
}

const makesEngine: OptionCheck = (value) =>
  optionCheck.callable(value) === undefined ? undefined : 'a function that makes the engine, such as createNativeClient'
const isClientEngine: OptionCheck = (value) =>
  optionCheck.object(value) === undefined &&
  optionCheck.callable((value as Partial<ClientEngine>).generateSecretKey) === undefined
    ? undefined
    : "a client's engine: give createNativeClient or createSealClient as makeEngine"
