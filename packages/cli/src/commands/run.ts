/** he-ml run: the server's side. It needs the plan, the model, the evaluation keys and the ciphertexts; no secret key. */
import { type AnyParameters, type KeyRequest, MemoryError } from '@he-ml/ckks-core'
import {
  assertSize,
  ordinaryFileSize,
  type ReadOptions,
  readOrdinaryFile,
  writeFileAtomic,
} from '@he-ml/ckks-core/node'
import { type BoundPlan, bindPlan, type Plan, Runner } from '@he-ml/pipeline'
import { maxCiphertextsBytes } from '@he-ml/session'
import type { Command } from 'commander'
import { type EngineChoice, openServer, type ServerSession } from '../engines.ts'
import { aboutFile } from '../files/about-file.ts'
import { assertOutputApart } from '../files/assert-output-apart.ts'
import { folderStore } from '../files/checkpoint-folder.ts'
import { chooseKeyFiles, readKeyFolder, readManifest } from '../files/key-folder.ts'
import { readModel } from '../files/model-file.ts'
import { readPlan } from '../files/plan-file.ts'
import { machineMemory, peakOf } from '../machine-memory.ts'
import { bytes, print } from '../terminal/output.ts'
import { startProgress } from '../terminal/progress.ts'
import { interruptSignal } from '../terminal/signal.ts'
import { assertWritableFolder, type CommonOptions, decimal, withEngine, withOutput, withThreads } from './common.ts'

interface RunCommandOptions extends CommonOptions {
  readonly plan: string
  readonly model: string
  readonly evaluation: string
  readonly input: string
  readonly out: string
  readonly memory?: number
  readonly checkpoints?: string
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
    .requiredOption('-i, --input <file>', 'encrypted inputs')
    .requiredOption('-o, --out <file>', 'where the encrypted result goes')
    .option(
      '--memory <GB>',
      'ceiling, default what this machine has; refused before the start when the plan needs more',
      decimal(1e-6, 1e6),
    )
    .option('--checkpoints <folder>', 'keep layer results here; the same command started again goes on from them')
  withOutput(withThreads(withEngine(command))).action(async (options: RunCommandOptions) => {
    const times: Record<string, number> = {}
    const clock = stopwatch(times)
    const quiet = options.quiet ?? false
    await assertWritableFolder(options.out)
    await assertOutputApart(options.out, {
      files: [options.plan, options.model, options.input],
      folders: [options.evaluation],
    })
    const plan = await readPlan(options.plan)
    const memory = options.memory === undefined ? undefined : Math.round(options.memory * 1e9)
    assertFits(plan, memory)
    const bound = bindPlan(plan, await readModel(options.model))
    const { signal, dispose } = interruptSignal()
    const server = await openServer(bound.parameters, {
      engine: options.engine,
      threads: options.threads,
      ...(memory === undefined ? {} : { memory }),
    })
    const loading = startProgress('loading keys', quiet)
    const running = startProgress('running', quiet)
    try {
      clock('open')
      const input = inputLimit(plan, bound.parameters)
      await loadKeys(server, bound, options, input, (done) => {
        signal.throwIfAborted()
        loading.update(done)
      })
      loading.stop()
      clock('loadKeys')
      const inputs = await aboutFile(
        options.input,
        readOrdinaryFile(options.input, input).then((file) => server.importInputs(file, plan.id, plan.input.slots)),
      )
      const runner = new Runner(bound, server.engine)
      clock('readInputs')
      let resumedLayers = 0
      const checkpoints =
        options.checkpoints === undefined
          ? undefined
          : folderStore(options.checkpoints, checkpointLimit(bound.parameters))
      const output = await runner.run(inputs, {
        signal,
        keepWeights: false,
        onProgress: (p) => {
          resumedLayers = p.resumed
          running.update(p.fraction, p.layer)
        },
        ...(memory === undefined ? {} : { memory }),
        // a finished run keeps its checkpoints until the result is on the disk
        ...(checkpoints === undefined ? {} : { checkpoints: { ...checkpoints, clear: async () => {} } }),
      })
      running.stop()
      clock('run')
      const file = await server.exportOutputs(output.ciphertexts, plan.id)
      signal.throwIfAborted()
      await writeFileAtomic(options.out, file)
      await checkpoints?.clear()
      clock('write')
      const peak = server.engine.memory().peak
      print(
        options,
        {
          out: options.out,
          seconds: times,
          resumedLayers,
          peakBytes: peak,
          peakResidentBytes: process.resourceUsage().maxRSS * 1024,
        },
        `result: ${options.out} (${bytes(file.length)}); ran ${times.run!.toFixed(2)} s after ${times.loadKeys!.toFixed(1)} s of loading keys, peak ${bytes(peak)}`,
      )
    } finally {
      loading.stop()
      running.stop()
      dispose()
      await server.engine.dispose()
    }
  })
}

/** @throws MemoryError before anything is loaded */
function assertFits(plan: Plan, memory: number | undefined): void {
  const peak = peakOf(plan)
  if (peak <= (memory ?? machineMemory())) return
  const allowed =
    memory === undefined ? `this machine has ${bytes(machineMemory())}` : `--memory allows ${bytes(memory)}`
  throw new MemoryError(
    `the plan expects a peak of ${bytes(peak)}, ${allowed}: allow more with --memory, or plan with a smaller batch or ring`,
  )
}

/** The plan's keys, after the sizes of everything that will be read were judged. */
async function loadKeys(
  server: ServerSession,
  { plan, parameters }: BoundPlan,
  { evaluation, input, memory }: RunCommandOptions,
  inputLimits: ReadOptions,
  onProgress: (fraction: number) => void,
): Promise<void> {
  const manifest = await readManifest(evaluation, parameters, plan.id)
  const entries = await chooseKeyFiles(evaluation, manifest, server.keyFiles(plan.keyRequest as KeyRequest))
  const inputBytes = await ordinaryFileSize(input)
  assertSize(input, inputBytes, inputLimits)
  assertRoom(entries, inputBytes, memory === undefined ? undefined : Math.round(memory * 1e9))
  let loaded = 0
  for await (const key of readKeyFolder(evaluation, entries)) {
    onProgress(loaded / entries.length)
    await server.loadKey({ ...key, keyId: manifest.keyId, plan: plan.id })
    onProgress(++loaded / entries.length)
  }
}

/** The most that encrypted inputs of a plan can have. */
function inputLimit(plan: Plan, parameters: AnyParameters): ReadOptions {
  const { ciphertexts: count, level } = plan.input
  return {
    maxBytes: maxCiphertextsBytes(parameters, { count, level, degree: 1 }),
    what: 'an encrypted input',
  }
}

/** A checkpoint file is one ciphertext, or the index of all of them. */
const checkpointLimit = (parameters: AnyParameters): number =>
  maxCiphertextsBytes(parameters, { count: 1, level: parameters.maxLevel, degree: 2 }) + MAX_INDEX_BYTES

const MAX_INDEX_BYTES = 2 ** 24

/**
 * The plan's own figure may come from whoever made the keys, so what is about to be loaded is counted too: keys expanded to
 * twice their files, the largest file while it is read, the inputs as a file and as ciphertexts.
 * @throws MemoryError before anything is read
 */
function assertRoom(keys: readonly { readonly bytes: number }[], inputBytes: number, memory: number | undefined): void {
  const expanded = 2 * keys.reduce((sum, key) => sum + key.bytes, 0)
  const needed = expanded + Math.max(0, ...keys.map((key) => key.bytes)) + 2 * inputBytes
  if (memory !== undefined && needed > memory)
    throw new MemoryError(
      `keys and inputs take ${bytes(needed)} to load, --memory allows ${bytes(memory)}: allow more, or plan with fewer keys`,
    )
}

function stopwatch(times: Record<string, number>): (name: string) => void {
  let last = performance.now()
  return (name) => {
    const now = performance.now()
    times[name] = (now - last) / 1000
    last = now
  }
}
