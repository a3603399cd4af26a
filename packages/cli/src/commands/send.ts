/** he-ml send: encrypted inputs to a server that `he-ml serve` started, and its results to files. It needs no key at all. */
import { DisposedError, FileSystemError, ParameterMismatchError } from '@he-ml/ckks-core'
import { readOrdinaryFile, writeFileAtomic } from '@he-ml/ckks-core/node'
import { parametersOf } from '@he-ml/pipeline'
import { maxCiphertextsBytes } from '@he-ml/session'
import { connectServer, type ServerLink } from '@he-ml/session/client'
import { streamConnection } from '@he-ml/session/node'
import type { Command } from 'commander'
import { connectLocally } from '../files/local-socket.ts'
import { readPlan } from '../files/plan-file.ts'
import { bytes, print } from '../terminal/output.ts'
import { startProgress } from '../terminal/progress.ts'
import { interruptSignal } from '../terminal/signal.ts'
import { type CommonOptions, withOutput } from './common.ts'
import { rememberDone } from './done-before.ts'
import { type ResultPlace, resultPlaces } from './result-places.ts'

interface SendOptions extends CommonOptions {
  readonly socket: string
  readonly plan?: string
  readonly input: readonly string[]
  readonly out: string
}

export function addSendCommand(program: Command): void {
  const command = program
    .command('send')
    .description('bring encrypted inputs to a server that `he-ml serve` started, and fetch the results')
    .requiredOption('-s, --socket <path>', 'where the server listens')
    .requiredOption('-i, --input <files...>', 'encrypted inputs')
    .requiredOption(
      '-o, --out <path>',
      'where the encrypted result goes; of several inputs a folder, which is made when needed',
    )
    .option('-p, --plan <file>', 'the plan that the server must have')
  withOutput(command).action(send)
}

async function send(options: SendOptions): Promise<void> {
  const places = await resultPlaces(options.input, options.out, { files: [options.plan, options.socket] })
  const wanted = options.plan === undefined ? undefined : await readPlan(options.plan)
  const { signal, dispose } = interruptSignal()
  const progress = startProgress('running', options.quiet ?? false)
  const results: Sent[] = []
  const all = async (): Promise<string> => {
    try {
      const connection = streamConnection(await connectLocally(options.socket))
      await using link = await connectServer(connection, { signal, ...(wanted ? { plan: wanted.id } : {}) })
      const onProgress = (fraction: number, layer: string): void =>
        progress.update((results.length + fraction) / places.length, layer)
      for (const place of places) results.push(await sendOne(link, place, { signal, onProgress }))
      return link.plan.id
    } catch (error) {
      if (!(error instanceof DisposedError)) throw error
      throw new FileSystemError(options.socket, 'ECONNRESET', `the server ended the connection: ${error.message}`, {
        cause: error,
      })
    }
  }
  try {
    const plan = await (places.length > 1 ? rememberDone(results, all) : all())
    progress.stop()
    print(
      options,
      { plan, results },
      results.map((r) => `result: ${r.out} (${bytes(r.bytes)}) in ${r.seconds.toFixed(2)} s`),
    )
  } finally {
    progress.stop()
    dispose()
  }
}

interface Sent {
  readonly input: string
  readonly out: string
  readonly seconds: number
  readonly bytes: number
}

interface Sending {
  readonly signal: AbortSignal
  readonly onProgress: (fraction: number, layer: string) => void
}

async function sendOne(link: ServerLink, { input, out }: ResultPlace, { signal, onProgress }: Sending): Promise<Sent> {
  const { ciphertexts: count, level } = link.plan.input
  const file = await readOrdinaryFile(input, {
    maxBytes: maxCiphertextsBytes(parametersOf(link.plan), { count, level, degree: 1 }),
    what: 'an encrypted input',
  })
  const started = performance.now()
  const run = link.run(file, { signal, onProgress: ({ fraction, layer }) => onProgress(fraction, layer) })
  const result = await run.catch((error: unknown) => {
    throw error instanceof ParameterMismatchError
      ? new ParameterMismatchError(`${input}: ${error.message}`, { cause: error })
      : error
  })
  await writeFileAtomic(out, result)
  return { input, out, seconds: (performance.now() - started) / 1000, bytes: result.length }
}
