/** he-ml run: the server's side. It needs the plan, the model, the evaluation keys and the ciphertexts; no secret key. */
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomic } from '@he-ml/ckks-core/node'
import { bindPlan, type CheckpointStore, Runner } from '@he-ml/pipeline'
import type { Command } from 'commander'
import { type EngineChoice, openServer } from '../engines.ts'
import { readKeyFolder, readManifest } from '../files/key-folder.ts'
import { readModel } from '../files/model-file.ts'
import { readPlan } from '../files/plan-file.ts'
import { bytes, print } from '../terminal/output.ts'
import { startProgress } from '../terminal/progress.ts'
import { interruptSignal } from '../terminal/signal.ts'
import { type CommonOptions, decimal, withEngine, withOutput } from './common.ts'

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
    .option('--memory <GB>', 'ceiling; refused before the start when the plan needs more', decimal(0.01, 1e6))
    .option('--checkpoints <folder>', 'keep layer results here; the same command started again goes on from them')
  withOutput(withEngine(command)).action(async (options: RunCommandOptions) => {
    const { signal, dispose } = interruptSignal()
    const times: Record<string, number> = {}
    const clock = stopwatch(times)
    const plan = await readPlan(options.plan)
    const bound = bindPlan(plan, await readModel(options.model))
    const memory = options.memory === undefined ? undefined : options.memory * 1e9
    const server = await openServer(bound.parameters, {
      engine: options.engine,
      threads: options.threads,
      ...(memory === undefined ? {} : { memory }),
    })
    try {
      clock('open')
      const manifest = await readManifest(options.evaluation, bound.parameters, plan.id)
      const loading = startProgress('loading keys', options.quiet ?? false)
      let loaded = 0
      for await (const key of readKeyFolder(options.evaluation, manifest.keys)) {
        await server.loadKey(key.kind, key.bytes)
        loading.update(++loaded / manifest.keys.length)
      }
      loading.stop()
      clock('loadKeys')
      const inputs = await server.importInputs(await readFile(options.input), plan.id, plan.input.slots)
      const runner = new Runner(bound, server.engine)
      clock('readInputs')
      const running = startProgress('running', options.quiet ?? false)
      const output = await runner.run(inputs, {
        signal,
        keepWeights: false,
        onProgress: (p) => running.update(p.fraction, p.layer),
        ...(memory === undefined ? {} : { memory }),
        ...(options.checkpoints === undefined ? {} : { checkpoints: folderStore(options.checkpoints) }),
      })
      running.stop()
      clock('run')
      const file = await server.exportOutputs(output.ciphertexts, plan.id)
      await writeFileAtomic(options.out, file)
      clock('write')
      const peak = server.engine.memory().peak
      print(
        options,
        { out: options.out, seconds: times, peakBytes: peak, peakResidentBytes: process.resourceUsage().maxRSS * 1024 },
        `result: ${options.out} (${bytes(file.length)}); ran ${times.run!.toFixed(2)} s after ${times.loadKeys!.toFixed(1)} s of loading keys, peak ${bytes(peak)}`,
      )
    } finally {
      dispose()
      await server.engine.dispose()
    }
  })
}

function stopwatch(times: Record<string, number>): (name: string) => void {
  let last = performance.now()
  return (name) => {
    const now = performance.now()
    times[name] = (now - last) / 1000
    last = now
  }
}

/** Checkpoints in a folder, each file whole or absent. */
function folderStore(folder: string): CheckpointStore {
  return {
    async put(name, content) {
      await mkdir(folder, { recursive: true })
      await writeFileAtomic(join(folder, name), content)
    },
    async get(name) {
      try {
        return await readFile(join(folder, name))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw error
      }
    },
    async clear() {
      await rm(folder, { recursive: true, force: true })
    },
  }
}
