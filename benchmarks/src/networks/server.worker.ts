/**
 * The server of a network benchmark, a process of its own: what it holds at most is what a server needs, without the
 * client's keys, encryption and decryption. Keys and ciphertexts come and go as files; messages only name them.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { createNativeEngine, loadEvaluationKey, type NativeEngine } from '@he-ml/ckks-native'
import { type BoundPlan, bindPlan, parsePlan, Runner } from '@he-ml/pipeline'
import { answerRequests, type CloseRequest } from '../worker-process.ts'
import { loadModel } from './digits.ts'

export type ServerRequest =
  | {
      readonly do: 'open'
      readonly plan: string
      readonly model: string
      readonly name: string
      readonly threads: number
    }
  | { readonly do: 'key'; readonly file: string }
  | { readonly do: 'prepare' }
  | { readonly do: 'run'; readonly input: string; readonly output: string }
  | { readonly do: 'usage' }
  | CloseRequest

export interface ServerReply {
  /** Seconds of the request, files read and written left out. */
  readonly seconds: number
  /** 'run': of it, in the network itself. */
  readonly networkSeconds?: number
  /** 'run': longest time the event loop did not turn. */
  readonly eventLoopDelayMs?: number
  /** 'usage' */
  readonly peakBytes?: number
  readonly engineBytes?: number
  readonly error?: string
}

/** The histogram's own timer: its period is part of every value it records. */
const DELAY_RESOLUTION_MS = 1

let bound: BoundPlan
let engine: NativeEngine
let runner: Runner | undefined
const delays = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS })

answerRequests(answer)

async function answer(request: ServerRequest): Promise<ServerReply> {
  switch (request.do) {
    case 'open': {
      bound = bindPlan(parsePlan(await readFile(request.plan, 'utf8')), await loadModel(request.model, request.name))
      engine = createNativeEngine(bound.parameters, { threads: request.threads })
      return { seconds: 0 }
    }
    case 'key': {
      const bytes = await readFile(request.file)
      return timed(() => loadEvaluationKey(engine, bytes))
    }
    case 'prepare': {
      await runner?.dispose()
      runner = new Runner(bound, engine)
      const fresh = runner
      return timed(() => fresh.prepare())
    }
    case 'run':
      return run(request.input, request.output)
    case 'usage':
      return {
        seconds: 0,
        peakBytes: process.resourceUsage().maxRSS * 1024,
        engineBytes: engine.memory().peak,
      }
    case 'close': {
      await runner?.dispose()
      await engine?.dispose()
      process.disconnect()
      return { seconds: 0 }
    }
    default:
      throw new InvalidArgumentError(`server: no such request: ${JSON.stringify(request)}`)
  }
}

/** From the bytes of the inputs to the bytes of the results. */
async function run(input: string, output: string): Promise<ServerReply> {
  const bytes = await readFile(input)
  runner ??= new Runner(bound, engine)
  const { id } = bound.plan
  let networkSeconds = 0
  let result = new Uint8Array()
  delays.reset()
  delays.enable()
  const reply = await timed(async () => {
    const { ciphertexts, names } = await engine.importCiphertexts(bytes, { plan: id })
    const started = performance.now()
    using packed = await runner!.run(ciphertexts, { onProgress: () => undefined })
    networkSeconds = (performance.now() - started) / 1000
    for (const ciphertext of ciphertexts) ciphertext.dispose()
    result = (await engine.exportCiphertexts(packed.ciphertexts, names)) as Uint8Array<ArrayBuffer>
  })
  delays.disable()
  await writeFile(output, result)
  return { ...reply, networkSeconds, eventLoopDelayMs: Math.max(0, delays.max / 1e6 - DELAY_RESOLUTION_MS) }
}

async function timed(work: () => Promise<unknown>): Promise<ServerReply> {
  const started = performance.now()
  await work()
  return { seconds: (performance.now() - started) / 1000 }
}
