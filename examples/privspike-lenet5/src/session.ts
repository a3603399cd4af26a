/** Both sides of one plan, on the native engine. They share nothing but files: a folder of evaluation keys, inputs, results. */
import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { KeyRequest } from '@he-ml/ckks-core'
import { writeKeyFolder } from '@he-ml/ckks-core/client/node'
import { createNativeEngine, nativeHost } from '@he-ml/ckks-native'
import { createNativeClient } from '@he-ml/ckks-native/client'
import type { BoundPlan } from '@he-ml/pipeline'
import { ServerSession } from '@he-ml/session'
import { ClientSession } from '@he-ml/session/client'
import { type StartBar, stopping } from './progress.ts'

export interface SessionOptions {
  readonly threads: number
  /** Bytes that the server may hold. */
  readonly memory: number
  /** Folder for the evaluation keys, which are gone afterwards. */
  readonly scratch: string
  readonly startBar: StartBar
  readonly signal: AbortSignal
}

/** Ready to run. */
export interface OpenSessions {
  /** The owner of the data, with a secret key that dies with the session. */
  readonly client: ClientSession
  /** Whoever has the machine; never sees a secret key. */
  readonly server: ServerSession
  /** Seconds to make the keys; and for the server to read them and encode its weights. */
  readonly seconds: { readonly keys: number; readonly load: number }
}

/**
 * Makes fresh keys, opens both sides, and closes them again, however `work` ends.
 *
 * @throws MemoryError when the plan does not fit `memory`; CancelledError through the signal
 */
export async function withSessions<T>(
  bound: BoundPlan,
  options: SessionOptions,
  work: (sessions: OpenSessions) => Promise<T>,
): Promise<T> {
  const { threads, scratch, signal } = options
  await using client = await ClientSession.create(bound.plan, createNativeClient(bound.parameters, { threads }))
  await using server = createServer(bound, options)
  await using folder = await keyFolder(scratch)
  const started = performance.now()
  await writeKeys(client, folder.path, options)
  const made = performance.now()
  await server.openKeys({ kind: 'folder', path: folder.path })
  await server.loadKeys()
  await server.prepare()
  const loaded = performance.now()
  signal.throwIfAborted()
  return await work({ client, server, seconds: { keys: (made - started) / 1000, load: (loaded - made) / 1000 } })
}

async function writeKeys(
  { engine, secret, plan }: ClientSession,
  folder: string,
  { startBar, signal }: SessionOptions,
): Promise<void> {
  using bar = stopping(startBar('keys'))
  const onProgress = (made: number, total: number) => bar.update(made / total, `${made} of ${total}`)
  await writeKeyFolder(engine, secret, plan.keyRequest as KeyRequest, folder, { signal, onProgress, plan: plan.id })
}

function createServer(bound: BoundPlan, { threads, memory }: SessionOptions): ServerSession {
  const engine = createNativeEngine(bound.parameters, { threads, memoryCeiling: memory })
  return new ServerSession(bound, nativeHost(engine), { memory })
}

/** A folder that is gone afterwards, also when the process ends before. */
async function keyFolder(scratch: string): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(scratch, 'he-ml-privspike-'))
  const leave = () => rmSync(path, { recursive: true, force: true })
  process.once('exit', leave)
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      await rm(path, { recursive: true, force: true })
      process.off('exit', leave)
    },
  }
}
