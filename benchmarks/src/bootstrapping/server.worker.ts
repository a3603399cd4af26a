/**
 * The server of the bootstrapping benchmarks, a process of its own: it never holds a secret, and what memory it takes at
 * most is what a server takes. Keys and ciphertexts come and go as files; messages only name them.
 */
import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import {
  arcsineDegree,
  type BootstrappingSpec,
  bootstrapIterated,
  type Ciphertext,
  createBootstrapping,
  createParameters,
  InvalidArgumentError,
  type ParametersLiteral,
  type PreparedBootstrapping,
  toLevel,
} from '@he-ml/ckks-core'
import { createNativeEngine, loadKeyFolder, type NativeEngine } from '@he-ml/ckks-native'
import { answerRequests, type CloseRequest } from '../worker-process.ts'
import { relu } from './relu.ts'

const RELU = 'relu'

export type ServerRequest =
  | {
      readonly do: 'open'
      readonly parameters: ParametersLiteral
      readonly spec: BootstrappingSpec
      readonly threads: number
    }
  | { readonly do: 'keys'; readonly folder: string }
  | { readonly do: 'prepare' }
  /** Bootstraps a file into a file, and keeps the result for 'chain'; `relu` of the values where asked. */
  | { readonly do: 'bootstrap'; readonly input: string; readonly output: string; readonly relu: boolean }
  /** Two bootstraps for one ciphertext. */
  | { readonly do: 'iterated'; readonly input: string; readonly output: string; readonly gainBits: number }
  /** Bootstraps files in groups of `together`, one group after another; writes the results where `output` says, each with its number. */
  | { readonly do: 'group'; readonly inputs: readonly string[]; readonly together: number; readonly output?: string }
  /** Uses up all levels of the last result by products with ones, and bootstraps it. */
  | { readonly do: 'chain'; readonly ones: string; readonly output: string }
  | { readonly do: 'usage' }
  | CloseRequest

export interface ServerReply {
  /** Seconds of the request, files read and written left out; of 'chain' the bootstrap alone. */
  readonly seconds: number
  /** 'group': of all threads. */
  readonly processorSeconds?: number
  /** 'group': of the results' files, in the order of the inputs. */
  readonly digests?: readonly string[]
  /** 'usage' */
  readonly peakBytes?: number
  readonly engineBytes?: number
  readonly keyBytes?: number
  readonly error?: string
}

let engine: NativeEngine
let circuit: ReturnType<typeof createBootstrapping>
let prepared: PreparedBootstrapping | undefined
let result: Ciphertext | undefined
let ones: Ciphertext | undefined

answerRequests(answer)

async function answer(request: ServerRequest): Promise<ServerReply> {
  switch (request.do) {
    case 'open': {
      const parameters = createParameters(request.parameters)
      circuit = createBootstrapping(parameters, request.spec)
      engine = createNativeEngine(parameters, { threads: request.threads })
      return { seconds: 0 }
    }
    case 'keys':
      return timed(() => loadKeyFolder(engine, request.folder))
    case 'prepare':
      return timed(async () => {
        const functions = arcsineDegree(circuit.spec) > 0 ? [{ name: RELU, at: relu }] : []
        prepared = await circuit.prepare(engine, { functions })
        await engine.drain()
      })
    case 'bootstrap': {
      using input = await engine.importCiphertext(await readFile(request.input))
      const options = request.relu ? { apply: RELU } : {}
      return refresh(() => prepared!.bootstrap(engine, input, options), request.output)
    }
    case 'iterated': {
      using input = await engine.importCiphertext(await readFile(request.input))
      const { gainBits } = request
      return refresh(() => bootstrapIterated(engine, prepared!, input, { gainBits }), request.output)
    }
    case 'group':
      return bootstrapGroups(request)
    case 'chain': {
      ones ??= await engine.importCiphertext(await readFile(request.ones))
      using used = useUp(result!, ones)
      await used.ready()
      return refresh(() => prepared!.bootstrap(engine, used), request.output)
    }
    case 'usage': {
      const { peak, keys } = engine.memory()
      return { seconds: 0, peakBytes: process.resourceUsage().maxRSS * 1024, engineBytes: peak, keyBytes: keys }
    }
    case 'close': {
      for (const handle of [result, ones, prepared]) handle?.dispose()
      await engine?.dispose()
      process.disconnect()
      return { seconds: 0 }
    }
    default:
      throw new InvalidArgumentError(`server: no such request: ${JSON.stringify(request)}`)
  }
}

async function refresh(bootstrap: () => Ciphertext, output: string): Promise<ServerReply> {
  result?.dispose()
  const reply = await timed(async () => {
    result = bootstrap()
    await result.ready()
  })
  await writeFile(output, await engine.exportCiphertext(result!))
  return reply
}

async function bootstrapGroups(request: ServerRequest & { readonly do: 'group' }): Promise<ServerReply> {
  const { inputs, together, output } = request
  const given: Ciphertext[] = []
  for (const input of inputs) given.push(await engine.importCiphertext(await readFile(input)))
  const fresh: Ciphertext[] = []
  const before = process.cpuUsage()
  const { seconds } = await timed(async () => {
    for (let i = 0; i < given.length; i += together) {
      const group = given.slice(i, i + together).map((one): [Ciphertext] => [one])
      const made = prepared!.bootstrapTogether(engine, group).flat()
      for (const one of made) await one.ready()
      fresh.push(...made)
    }
  })
  const { user, system } = process.cpuUsage(before)
  const digests: string[] = []
  for (const [i, one] of fresh.entries()) {
    const file = await engine.exportCiphertext(one)
    digests.push(createHash('sha256').update(file).digest('hex'))
    if (output !== undefined) await writeFile(`${output}-${i}`, file)
  }
  for (const handle of [...given, ...fresh]) handle.dispose()
  return { seconds, processorSeconds: (user + system) / 1e6, digests }
}

/** Products with encrypted ones down to the level a bootstrap starts from; the operand is only read. */
function useUp(a: Ciphertext, ones: Ciphertext): Ciphertext {
  let current = engine.dropLevel(a, a.level)
  while (current.level > circuit.inputLevel) {
    using before = current
    using factor = toLevel(engine, ones, before.level)
    using raw = engine.mul(before, factor)
    using linear = engine.relinearize(raw)
    current = engine.rescale(linear)
  }
  return current
}

async function timed(work: () => Promise<unknown>): Promise<ServerReply> {
  const started = performance.now()
  await work()
  return { seconds: (performance.now() - started) / 1000 }
}
