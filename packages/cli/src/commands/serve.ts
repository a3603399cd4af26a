/** he-ml serve: a server that stays, so that keys are loaded and weights encoded once; `he-ml send` brings it inputs. */
import { once } from 'node:events'
import type { Server, Socket } from 'node:net'
import { answer, ServerSession } from '@he-ml/session'
import { assertNoSecretKey, streamConnection } from '@he-ml/session/node'
import type { Command } from 'commander'
import { type EngineChoice, openServer } from '../engines.ts'
import { assertOutputApart } from '../files/assert-output-apart.ts'
import { bindFiles } from '../files/bind-files.ts'
import { listenLocally } from '../files/local-socket.ts'
import { readModel, stepOf } from '../files/model-file.ts'
import { readPlan } from '../files/plan-file.ts'
import { print } from '../terminal/output.ts'
import { startProgress } from '../terminal/progress.ts'
import { interruptSignal } from '../terminal/signal.ts'
import {
  assertWritableFolder,
  type CommonOptions,
  decimal,
  integer,
  withEngine,
  withOutput,
  withThreads,
} from './common.ts'
import { assertPlanFits, ceilingOf, keepsWeights } from './judge-memory.ts'
import { judgeSizes } from './judge-sizes.ts'

interface ServeOptions extends CommonOptions {
  readonly plan: string
  readonly model: string
  readonly evaluation: string
  readonly socket: string
  readonly memory?: number
  readonly maxRuns: number
  readonly engine: EngineChoice
  readonly threads: number
}

export function addServeCommand(program: Command): void {
  const command = program
    .command('serve')
    .description('load keys and weights once and answer `he-ml send` until interrupted; needs no secret key')
    .requiredOption('-p, --plan <file>', 'the plan')
    .requiredOption('-m, --model <file>', 'the network the plan was made for')
    .requiredOption('-e, --evaluation <folder>', 'evaluation keys')
    .requiredOption('-s, --socket <path>', 'where to listen: a socket that this user alone can open')
    .option('--memory <GB>', 'ceiling, default what this machine has; keys come and go within it', decimal(1e-6, 1e6))
    .option('--max-runs <n>', 'runs of one sender at work at a time', integer(1, 64), 4)
  withOutput(withThreads(withEngine(command))).action(serve)
}

async function serve(options: ServeOptions): Promise<void> {
  await assertWritableFolder(options.socket)
  await assertOutputApart(options.socket, {
    socket: true,
    files: [options.plan, options.model],
    folders: [options.evaluation],
  })
  const plan = await readPlan(options.plan)
  const ceiling = ceilingOf(options.memory)
  assertPlanFits(plan, ceiling)
  const bound = await bindFiles(plan, await readModel(options.model, stepOf(plan)), options)
  const { signal, dispose } = interruptSignal()
  try {
    const host = await openServer(bound.parameters, { ...options, memory: ceiling.bytes })
    const keepWeights = keepsWeights(plan, ceiling)
    await using session = new ServerSession(bound, host, { memory: ceiling.bytes, keepWeights })
    const limits = { maxBytes: session.maxInputBytes, what: 'an encrypted input' }
    await judgeSizes(session, { evaluation: options.evaluation, inputs: [], limits }, ceiling)
    await makeReady(session, options, { signal, keepWeights })
    await listen(session, { ...options, signal })
  } finally {
    dispose()
  }
}

interface Readying {
  readonly signal: AbortSignal
  readonly keepWeights: boolean
}

/** All that runs have in common, so that the first one waits for nothing. */
async function makeReady(
  session: ServerSession,
  options: ServeOptions,
  { signal, keepWeights }: Readying,
): Promise<void> {
  const quiet = options.quiet ?? false
  const loading = startProgress('loading keys', quiet)
  const encoding = startProgress('encoding weights', quiet)
  try {
    await assertNoSecretKey(options.evaluation)
    await session.openKeys({ kind: 'folder', path: options.evaluation })
    await session.loadKeys({ signal, onProgress: (done, total) => loading.update(done / total, `${done} of ${total}`) })
    loading.stop()
    if (keepWeights) await session.prepare({ signal, onProgress: ({ fraction }) => encoding.update(fraction) })
  } finally {
    loading.stop()
    encoding.stop()
  }
}

interface Listening extends ServeOptions {
  readonly signal: AbortSignal
}

/** Until the signal comes; what is at work then is cancelled. */
async function listen(session: ServerSession, options: Listening): Promise<void> {
  const { socket: path, signal, maxRuns } = options
  const { plan } = session.bound
  const sockets = new Set<Socket>()
  const answers = new Set<Promise<void>>()
  const server: Server = await listenLocally(path, (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    const answering = answer(session, streamConnection(socket), {
      maxRuns,
      acceptKeys: false,
      onError: (error) => tell(options, String(error)),
    }).catch((error) => tell(options, String(error)))
    answers.add(answering)
    void answering.then(() => answers.delete(answering))
  })
  print(
    options,
    { socket: path, plan: plan.id, keyId: session.keyId, process: process.pid },
    `listening at ${path} for plan ${plan.id.slice(0, 16)}; he-ml send --socket ${path} brings inputs, Ctrl-C ends it`,
  )
  if (!signal.aborted) await once(signal, 'abort')
  server.close()
  for (const socket of sockets) socket.destroy()
  await Promise.all(answers)
}

function tell({ quiet }: CommonOptions, text: string): void {
  if (!quiet) process.stderr.write(`${text}\n`)
}
