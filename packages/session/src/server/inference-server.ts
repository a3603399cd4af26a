/** A server in two calls: keys opened, files run. */
import {
  type AnyParameters,
  checkArgument,
  type EngineHost,
  type KeySource,
  type OptionCheck,
  optionCheck,
} from '@he-ml/ckks-core'
import { type BoundPlan, planCheck } from '@he-ml/pipeline'
import { assertMade } from '../assert-made.ts'
import { isKeySource } from './is-key-source.ts'
import { hasEngine, type ServerOptions, type ServerRunOptions, ServerSession } from './server-session.ts'

/** Makes an engine as servers use it, for the parameters of a plan: `createNativeHost`, `createSealHost`. */
export type MakeEngineHost = (parameters: AnyParameters) => EngineHost | Promise<EngineHost>

/** See {@link openServer}. What it does not offer (keys loaded in advance, messages) its `session` does. */
export class InferenceServer implements AsyncDisposable {
  /** All of the server's side. */
  readonly session: ServerSession

  constructor(session: ServerSession) {
    this.session = session
  }

  /**
   * Encrypted inputs in, encrypted results out; several at a time, if wanted. Keys and weights of the first run stay for the next ones.
   * @throws FormatError, ParameterMismatchError for a file that is no input of this plan and key; CancelledError through the signal; MemoryError
   */
  async run(file: Uint8Array, options: ServerRunOptions = {}): Promise<Uint8Array> {
    return (await this.session.run(file, options)).file
  }

  /** Ends what is at work, and the engine. */
  dispose(): Promise<void> {
    return this.session.dispose()
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }
}

/**
 * A server for one plan and the keys of one client. It holds no secret; see `openClient` for the whole.
 *
 * @param keys from a client: in memory, or a folder
 * @throws MissingKeyError, FormatError, ParameterMismatchError for keys that are not this plan's, and for an engine with other
 *   parameters; MemoryError for a ceiling below what any
 *   run takes; UnsupportedError when the engine cannot hold the plan's parameters
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { createNativeHost } from '@he-ml/ckks-native'
 * import { createNativeClient } from '@he-ml/ckks-native/client'
 * import { createTensor, Model } from '@he-ml/model'
 * import { linear } from '@he-ml/nn-layers'
 * import { compileAndBind } from '@he-ml/pipeline'
 * import { openServer } from '@he-ml/session'
 * import { openClient } from '@he-ml/session/client'
 *
 * const layer = linear({ name: 'sum', weights: createTensor([1, 4], Float64Array.of(1, 2, 3, 4)) })
 * const model = new Model({ name: 'toy', input: { name: 'x', shape: [4] }, nodes: [{ layer, inputs: ['x'] }] })
 * const bound = await compileAndBind(model)
 * await using client = await openClient(bound.plan, createNativeClient)
 * await using server = await openServer(bound, createNativeHost, await client.evaluationKeys())
 * const inputs = [1, 2].map((x) => createTensor([4], Float64Array.of(x, 0, 0, 0)))
 * for (const input of inputs) {
 *   const answer = await client.decrypt(await server.run(await client.encrypt(input)))
 *   assert(Math.abs(answer.data[0]! - input.data[0]!) < 0.01)
 * }
 * ```
 */
export async function openServer(
  bound: BoundPlan,
  makeHost: MakeEngineHost,
  keys: KeySource,
  options: ServerOptions = {},
): Promise<InferenceServer> {
  checkArgument('openServer', 'bound', bound, planCheck.bound)
  checkArgument('openServer', 'makeHost', makeHost, makesEngine)
  checkArgument('openServer', 'keys', keys, isKeySource)
  const host = await makeHost(bound.parameters)
  await assertMade('openServer', 'makeHost', host, hasEngine)
  let session: ServerSession | undefined
  try {
    session = new ServerSession(bound, host, options)
    await session.openKeys(keys)
    return new InferenceServer(session)
  } catch (error) {
    await (session ?? host.engine).dispose()
    throw error
  }
}

const makesEngine: OptionCheck = (value) =>
  optionCheck.callable(value) === undefined ? undefined : 'a function that makes the engine, such as createNativeHost'
