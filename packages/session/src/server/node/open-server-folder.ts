import { join } from 'node:path'
import { checkArgument, checkOptions, type OptionCheck, type OptionChecks, optionCheck } from '@he-ml/ckks-core'
import { type Model, modelCheck } from '@he-ml/model'
import { bindPlan } from '@he-ml/pipeline'
import { KEYS_FOLDER, PLAN_FILE, readPlanFile } from '../../files/plan-file.ts'
import { named } from '../../named.ts'
import { type InferenceServer, type MakeEngineHost, openServer } from '../inference-server.ts'
import { SERVER_OPTIONS, type ServerOptions } from '../server-session.ts'
import { assertNoSecretKey } from './assert-no-secret-key.ts'

/** What a server's folder needs beside it. */
export interface ServerFolder extends ServerOptions {
  /** The model that the plan was made for, or what reads it from the folder's files. */
  readonly model: Model | ((folder: string) => Model | Promise<Model>)
  /** What makes the engine: `createNativeHost`, `createSealHost`. */
  readonly makeHost: MakeEngineHost
}

const isModelOrReader: OptionCheck = (value) =>
  typeof value === 'function' || modelCheck.model(value) === undefined
    ? undefined
    : 'the model that the plan was made for, or a function that reads it from the folder'

const OPTIONS: OptionChecks<ServerFolder> = {
  ...SERVER_OPTIONS,
  model: isModelOrReader,
  makeHost: optionCheck.callable,
}

/**
 * The server of a folder that a client made with `writeServerFolder`.
 *
 * @throws InvalidArgumentError for a folder with a secret key in it, whatever it is called; what `openServer` and `bindPlan` do; FileSystemError; whatever reading the model throws
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { mkdtemp, rm } from 'node:fs/promises'
 * import { tmpdir } from 'node:os'
 * import { join } from 'node:path'
 * import { createNativeHost } from '@he-ml/ckks-native'
 * import { createNativeClient } from '@he-ml/ckks-native/client'
 * import { createTensor, Model } from '@he-ml/model'
 * import { linear } from '@he-ml/nn-layers'
 * import { compile } from '@he-ml/pipeline'
 * import { openClient } from '@he-ml/session/client'
 * import { writeServerFolder } from '@he-ml/session/client/node'
 * import { openServerFolder } from '@he-ml/session/node'
 *
 * const layer = linear({ name: 'sum', weights: createTensor([1, 4], Float64Array.of(1, 2, 3, 4)) })
 * const model = new Model({ name: 'toy', input: { name: 'x', shape: [4] }, nodes: [{ layer, inputs: ['x'] }] })
 * const folder = await mkdtemp(join(tmpdir(), 'he-ml-'))
 * await using client = await openClient(await compile(model), createNativeClient)
 * await writeServerFolder(client, folder)
 * await using server = await openServerFolder(folder, { model, makeHost: createNativeHost })
 * const file = await client.encrypt(createTensor([4], Float64Array.of(1, 1, 1, 1)))
 * const answer = await client.decrypt(await server.run(file))
 * assert(Math.abs(answer.data[0]! - 10) < 0.01)
 * await rm(folder, { recursive: true })
 * ```
 */
export async function openServerFolder(folder: string, given: ServerFolder): Promise<InferenceServer> {
  checkArgument('openServerFolder', 'folder', folder, optionCheck.path)
  checkOptions('openServerFolder', given, OPTIONS)
  const { model, makeHost, ...options } = given
  checkArgument('openServerFolder', 'the option model', model, isModelOrReader)
  checkArgument('openServerFolder', 'the option makeHost', makeHost, optionCheck.callable)
  const plan = await readPlanFile(folder)
  await assertNoSecretKey(folder)
  const read = typeof model === 'function' ? await model(folder) : model
  const bound = await named(join(folder, PLAN_FILE), (async () => bindPlan(plan, read))())
  return openServer(bound, makeHost, { kind: 'folder', path: join(folder, KEYS_FOLDER) }, options)
}
