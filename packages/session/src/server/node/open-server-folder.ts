import { join } from 'node:path'
import type { Model } from '@he-ml/model'
import { bindPlan } from '@he-ml/pipeline'
import { KEYS_FOLDER, readPlanFile } from '../../files/plan-file.ts'
import { type InferenceServer, type MakeEngineHost, openServer } from '../inference-server.ts'
import type { ServerOptions } from '../server-session.ts'

/** What a server's folder needs beside it. */
export interface ServerFolder extends ServerOptions {
  /** The model that the plan was made for, or what reads it from the folder's files. */
  readonly model: Model | ((folder: string) => Model | Promise<Model>)
  /** What makes the engine: `createNativeHost`, `createSealHost`. */
  readonly makeHost: MakeEngineHost
}

/**
 * The server of a folder that a client made with `writeServerFolder`.
 *
 * @throws what `openServer` and `bindPlan` do; FileSystemError; whatever reading the model throws
 */
export async function openServerFolder(
  folder: string,
  { model, makeHost, ...options }: ServerFolder,
): Promise<InferenceServer> {
  const plan = await readPlanFile(folder)
  const bound = bindPlan(plan, typeof model === 'function' ? await model(folder) : model)
  return openServer(bound, makeHost, { kind: 'folder', path: join(folder, KEYS_FOLDER) }, options)
}
