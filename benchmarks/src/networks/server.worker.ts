/**
 * The server of a network benchmark, a process of its own: what it holds at most is what a server needs, without the
 * client's keys, encryption and decryption. Keys and ciphertexts come and go as files; messages only name them.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { createNativeEngine, nativeHost } from '@he-ml/ckks-native'
import { writeTrace } from '@he-ml/cli'
import { bindPlan, type Plan, parsePlan, type TaskTrace } from '@he-ml/pipeline'
import { type ServerOptions, ServerSession } from '@he-ml/session'
import { answerRequests, type CloseRequest } from '../worker-process.ts'
import { loadModel } from './digits.ts'

export type ServerRequest =
  | {
      readonly do: 'open'
      readonly plan: string
      readonly model: string
      readonly name: string
      readonly threads: number
      readonly limits: ServerLimits
    }
  /** Loads all keys of a folder. */
  | { readonly do: 'keys'; readonly folder: string }
  /** Encodes all weights anew. */
  | { readonly do: 'prepare' }
  /** With `trace`, a file that shows what ran when. */
  | { readonly do: 'run'; readonly input: string; readonly output: string; readonly trace?: string }
  | { readonly do: 'usage' }
  | CloseRequest

/** What the server's session may take. */
export type ServerLimits = Pick<ServerOptions, 'memory' | 'keepWeights'>

export interface ServerReply {
  /** Seconds of the request; files of ciphertexts that are read and written left out. */
  readonly seconds: number
  /** 'run': of it, in the network itself. */
  readonly networkSeconds?: number
  /** 'run': of all threads. */
  readonly processorSeconds?: number
  /** 'run': longest time the event loop did not turn. */
  readonly eventLoopDelayMs?: number
  /** 'usage' */
  readonly peakBytes?: number
  readonly engineBytes?: number
  readonly error?: string
}

/** The histogram's own timer: its period is part of every value it records. */
const DELAY_RESOLUTION_MS = 1

let session: ServerSession | undefined
let plan: Plan | undefined
const delays = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS })

answerRequests(answer)

async function answer(request: ServerRequest): Promise<ServerReply> {
  switch (request.do) {
    case 'open': {
      plan = parsePlan(await readFile(request.plan, 'utf8'))
      const method = plan.functional ? 'functional' : 'polynomial'
      const bound = bindPlan(plan, await loadModel(request.model, request.name, method))
      const engine = createNativeEngine(bound.parameters, { threads: request.threads })
      session = new ServerSession(bound, nativeHost(engine), request.limits)
      return { seconds: 0 }
    }
    case 'keys':
      return timed(() => loadKeys(request.folder))
    case 'prepare': {
      await session!.dropWeights()
      return timed(() => session!.prepare())
    }
    case 'run':
      return run(request)
    case 'usage':
      return {
        seconds: 0,
        peakBytes: process.resourceUsage().maxRSS * 1024,
        engineBytes: session!.engine.memory().peak,
      }
    case 'close': {
      await session?.dispose()
      process.disconnect()
      return { seconds: 0 }
    }
    default:
      throw new InvalidArgumentError(`server: no such request: ${JSON.stringify(request)}`)
  }
}

async function loadKeys(path: string): Promise<void> {
  await session!.openKeys({ kind: 'folder', path })
  await session!.loadKeys()
}

/** From the bytes of the inputs to the bytes of the results. */
async function run({ input, output, trace }: Extract<ServerRequest, { do: 'run' }>): Promise<ServerReply> {
  const bytes = await readFile(input)
  const traces: TaskTrace[] = []
  delays.reset()
  delays.enable()
  const started = performance.now()
  const before = process.cpuUsage()
  const { file, seconds: networkSeconds } = await session!.run(bytes, {
    onProgress: () => undefined,
    onTask: (task) => traces.push(task),
  })
  const seconds = (performance.now() - started) / 1000
  const { user, system } = process.cpuUsage(before)
  delays.disable()
  await writeFile(output, file)
  if (trace !== undefined) await writeTrace(trace, plan!, traces)
  const eventLoopDelayMs = Math.max(0, delays.max / 1e6 - DELAY_RESOLUTION_MS)
  return { seconds, networkSeconds, processorSeconds: (user + system) / 1e6, eventLoopDelayMs }
}

async function timed(work: () => Promise<unknown>): Promise<ServerReply> {
  const started = performance.now()
  await work()
  return { seconds: (performance.now() - started) / 1000 }
}
