/** Both sides of one plan, on the native engine. They share nothing but files: a folder of evaluation keys, inputs, results. */
import type { KeyRequest } from '@he-ml/ckks-core'
import { writeKeyFolder } from '@he-ml/ckks-core/client/node'
import { createNativeEngine, nativeHost } from '@he-ml/ckks-native'
import { createNativeClient } from '@he-ml/ckks-native/client'
import type { BoundPlan } from '@he-ml/pipeline'
import { ServerSession } from '@he-ml/session'
import { ClientSession } from '@he-ml/session/client'

/** The owner of the data, with a fresh secret key that dies with the process. */
export const createClient = ({ plan, parameters }: BoundPlan, threads: number): Promise<ClientSession> =>
  ClientSession.create(plan, createNativeClient(parameters, { threads }))

/** The evaluation keys of the client's plan, as a folder for the server. @throws CancelledError through the signal */
export const writeKeys = (
  { engine, secret, plan }: ClientSession,
  folder: string,
  options: { readonly signal: AbortSignal; readonly onProgress: (made: number, total: number) => void },
): Promise<unknown> =>
  writeKeyFolder(engine, secret, plan.keyRequest as KeyRequest, folder, { ...options, plan: plan.id })

/** Whoever has the machine; never sees a secret key. @param memory bytes that it may hold, keys included */
export function createServer(
  bound: BoundPlan,
  { threads, memory }: { readonly threads: number; readonly memory: number },
): ServerSession {
  const engine = createNativeEngine(bound.parameters, { threads, memoryCeiling: memory })
  return new ServerSession(bound, nativeHost(engine), { memory, keepWeights: false })
}
