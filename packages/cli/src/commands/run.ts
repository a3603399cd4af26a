/**
 * he-ml run: the server's side, a session of one run or several. It needs the plan, the model, the evaluation keys and the ciphertexts; no secret
 * key. Keys are loaded when a layer needs them.
 */
import { type AnyParameters, InvalidArgumentError } from '@he-ml/ckks-core'
import { type ReadOptions, readOrdinaryFile, writeFileAtomic } from '@he-ml/ckks-core/node'
import type { BoundPlan, TaskTrace } from '@he-ml/pipeline'
import { maxCiphertextsBytes, ServerSession } from '@he-ml/session'
import { assertNoSecretKey } from '@he-ml/session/node'
import type { Command } from 'commander'
import { type EngineChoice, openServer } from '../engines.ts'
import { aboutFiles } from '../files/about-file.ts'
import { assertOutputApart } from '../files/assert-output-apart.ts'
import { bindFiles } from '../files/bind-files.ts'
import { folderStore } from '../files/checkpoint-folder.ts'
import { readModel, stepOf } from '../files/model-file.ts'
import { readPlan } from '../files/plan-file.ts'
import { bytes, print } from '../terminal/output.ts'
import { startProgress } from '../terminal/progress.ts'
import { interruptSignal } from '../terminal/signal.ts'
import { writeTrace } from '../terminal/write-trace.ts'
import { assertWritableFolder, type CommonOptions, decimal, withEngine, withOutput, withThreads } from './common.ts'
import { rememberDone } from './done-before.ts'
import { assertPlanFits, type Ceiling, ceilingOf, keepsWeights } from './judge-memory.ts'
import { judgeSizes } from './judge-sizes.ts'
import { type ResultPlace, resultPlaces } from './result-places.ts'

interface RunCommandOptions extends CommonOptions {
  readonly plan: string
  readonly model: string
  readonly evaluation: string
  readonly input: readonly string[]
  readonly out: string
  readonly memory?: number
  readonly checkpoints?: string
  readonly trace?: string
  readonly engine: EngineChoice
  readonly threads: number
}

export function addRunCommand(program: Command): void {
  const command = program
    .command('run')
    .description('run the plan on encrypted inputs; needs no secret key')
    .requiredOption('-p, --plan <file>', 'the plan')
    .requiredOption('-m, --model <file>', 'the network the plan was made for')
    .requiredOption('-e, --evaluation <folder>', 'evaluation keys')
    .requiredOption('-i, --input <files...>', 'encrypted inputs: one run each')
    .requiredOption(
      '-o, --out <path>',
      'where the encrypted result goes; of several inputs a folder, which is made when needed',
    )
    .option(
      '--memory <GB>',
      'ceiling, default what this machine has; keys come and go within it; refused before the start when the plan needs more',
      decimal(1e-6, 1e6),
    )
    .option(
      '--trace <file>',
      'what was at work when, and the memory it took: drawn for a name that ends in .svg, otherwise as JSON',
    )
    .option('--checkpoints <folder>', 'keep layer results here; the same command started again goes on from them')
  withOutput(withThreads(withEngine(command))).action(async (options: RunCommandOptions) => {
    const places = await resultPlaces(options.input, options.out, {
      files: [options.plan, options.model],
      folders: [options.evaluation],
    })
    for (const [name, given] of [
      ['--trace', options.trace],
      ['--checkpoints', options.checkpoints],
    ])
      if (given !== undefined && places.length > 1)
        throw new InvalidArgumentError(`${name} is of one run: give one input, or leave it out`)
    if (options.trace !== undefined) {
      await assertWritableFolder(options.trace)
      await assertOutputApart(options.trace, {
        files: [options.plan, options.model, ...options.input, options.out],
        folders: [options.evaluation],
      })
    }
    const plan = await readPlan(options.plan)
    const ceiling = ceilingOf(options.memory)
    assertPlanFits(plan, ceiling)
    await runPlan(await bindFiles(plan, await readModel(options.model, stepOf(plan)), options), places, {
      ...options,
      ceiling,
    })
  })
}

type Running = RunCommandOptions & { readonly ceiling: Ceiling }

async function runPlan(bound: BoundPlan, places: readonly ResultPlace[], options: Running): Promise<void> {
  const times: Record<string, number> = {}
  const clock = stopwatch(times)
  const { signal, dispose } = interruptSignal()
  const running = startProgress('running', options.quiet ?? false)
  const { engine, threads, ceiling } = options
  try {
    const host = await openServer(bound.parameters, { engine, threads, memory: ceiling.bytes })
    // of several runs the weights of the first one stay, where there is room
    const keepWeights = places.length > 1 && keepsWeights(bound.plan, ceiling)
    await using session = new ServerSession(bound, host, { memory: ceiling.bytes, keepWeights })
    clock('open')
    const limits = { maxBytes: session.maxInputBytes, what: 'an encrypted input' }
    await judgeSizes(session, { evaluation: options.evaluation, inputs: options.input, limits }, ceiling)
    await assertNoSecretKey(options.evaluation)
    await session.openKeys({ kind: 'folder', path: options.evaluation })
    clock('openKeys')
    const results: Result[] = []
    const all = async (): Promise<void> => {
      for (const [i, place] of places.entries())
        results.push(
          await runOne(session, place, {
            ...options,
            signal,
            limits,
            clock,
            onProgress: (fraction, layer) => running.update((i + fraction) / places.length, layer),
          }),
        )
    }
    await (places.length > 1 ? rememberDone(results, all) : all())
    running.stop()
    tellResults(results, options, { times, peakBytes: session.engine.memory().peak })
  } finally {
    running.stop()
    dispose()
  }
}

interface OneRun extends RunCommandOptions {
  readonly signal: AbortSignal
  readonly limits: ReadOptions
  readonly clock: (name: string) => void
  readonly onProgress: (fraction: number, layer: string) => void
}

interface Result {
  readonly input: string
  readonly out: string
  /** Of the run. */
  readonly seconds: number
  readonly bytes: number
  readonly resumedLayers: number
}

async function runOne(session: ServerSession, { input, out }: ResultPlace, options: OneRun): Promise<Result> {
  const { signal, limits, clock, onProgress } = options
  const file = await readOrdinaryFile(input, limits)
  clock('readInputs')
  const started = performance.now()
  let resumedLayers = 0
  const traces: TaskTrace[] = []
  const { bound } = session
  const checkpoints =
    options.checkpoints === undefined ? undefined : folderStore(options.checkpoints, checkpointLimit(bound.parameters))
  const read = { [input]: 'the input', [options.evaluation]: 'the evaluation keys', [options.plan]: 'the plan' }
  const result = await aboutFiles(read, () =>
    session.run(file, {
      signal,
      inputName: input,
      onProgress: (p) => {
        resumedLayers = p.resumed
        onProgress(p.fraction, p.layer)
      },
      ...(options.trace === undefined ? {} : { onTask: (task) => traces.push(task) }),
      ...(checkpoints ? { checkpoints } : {}),
    }),
  )
  const seconds = (performance.now() - started) / 1000
  clock('run')
  signal.throwIfAborted()
  await writeFileAtomic(out, result.file)
  await checkpoints?.clear()
  if (options.trace !== undefined) await writeTrace(options.trace, bound.plan, traces)
  clock('write')
  return { input, out, seconds, bytes: result.file.length, resumedLayers }
}

function tellResults(
  results: readonly Result[],
  options: RunCommandOptions,
  { times, peakBytes }: { readonly times: Readonly<Record<string, number>>; readonly peakBytes: number },
): void {
  const [first] = results
  print(
    options,
    {
      out: options.out,
      seconds: times,
      resumedLayers: first!.resumedLayers,
      peakBytes,
      peakResidentBytes: process.resourceUsage().maxRSS * 1024,
      ...(results.length > 1 ? { results } : {}),
    },
    results.map((r) => `result: ${r.out} (${bytes(r.bytes)}); ran ${r.seconds.toFixed(2)} s, peak ${bytes(peakBytes)}`),
  )
}

/** A checkpoint file is one ciphertext, or the index of all of them. */
const checkpointLimit = (parameters: AnyParameters): number =>
  maxCiphertextsBytes(parameters, { count: 1, level: parameters.maxLevel, degree: 2 }) + MAX_INDEX_BYTES

const MAX_INDEX_BYTES = 2 ** 24

function stopwatch(times: Record<string, number>): (name: string) => void {
  let last = performance.now()
  return (name) => {
    const now = performance.now()
    times[name] = (times[name] ?? 0) + (now - last) / 1000
    last = now
  }
}
