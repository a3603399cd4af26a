/**
 * he-ml diff: a run with keys made for it alone, looked at value by value. Client and server are one process here, so it is for data
 * that are no secret.
 */
import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KeyRequest } from '@he-ml/ckks-core'
import { writeKeyFolder } from '@he-ml/ckks-core/client/node'
import { writeFileAtomic } from '@he-ml/ckks-core/node'
import type { Model, Tensor } from '@he-ml/model'
import type { BoundPlan } from '@he-ml/pipeline'
import { ServerSession } from '@he-ml/session'
import { ClientSession } from '@he-ml/session/client'
import { diffRun, type ValueDifference } from '@he-ml/session/diff'
import type { Command } from 'commander'
import { type EngineChoice, openClient, openServer } from '../engines.ts'
import { assertOutputApart } from '../files/assert-output-apart.ts'
import { bindFiles } from '../files/bind-files.ts'
import { readModel, stepOf } from '../files/model-file.ts'
import { readPlan } from '../files/plan-file.ts'
import { diffSvg } from '../terminal/diff-svg.ts'
import { diffText } from '../terminal/diff-text.ts'
import { print } from '../terminal/output.ts'
import { startProgress } from '../terminal/progress.ts'
import { interruptSignal } from '../terminal/signal.ts'
import { assertWritableFolder, type CommonOptions, decimal, withEngine, withOutput, withThreads } from './common.ts'
import { chooseImages, type ImageChoice, withImages } from './images.ts'
import { assertPlanFits, ceilingOf } from './judge-memory.ts'

interface DiffOptions extends CommonOptions, ImageChoice {
  readonly plan: string
  readonly model: string
  readonly svg?: string
  readonly scratch: string
  readonly memory?: number
  readonly engine: EngineChoice
  readonly threads: number
}

export function addDiffCommand(program: Command): void {
  const command = program
    .command('diff')
    .description('encrypted against clear, layer by layer, with a key made for it: where precision is lost')
    .requiredOption('-p, --plan <file>', 'the plan')
    .requiredOption('-m, --model <file>', 'the network the plan was made for')
    .option('--svg <file>', 'draw the bits after every layer, as measured and as planned')
    .option('--scratch <folder>', 'where the evaluation keys lie as long as it runs', tmpdir())
    .option('--memory <GB>', 'ceiling, default what this machine has', decimal(1e-6, 1e6))
  withOutput(withThreads(withEngine(withImages(command)))).action(async (options: DiffOptions) => {
    if (options.svg !== undefined) {
      await assertWritableFolder(options.svg)
      await assertOutputApart(options.svg, { files: [options.plan, options.model, options.data] })
    }
    const plan = await readPlan(options.plan)
    const ceiling = ceilingOf(options.memory)
    assertPlanFits(plan, ceiling)
    const model = await readModel(options.model, stepOf(plan))
    const bound = await bindFiles(plan, model, options)
    const { indices, tensors } = await chooseImages(options, plan)
    const differences = await measure(bound, { model, tensors, memory: ceiling.bytes }, options)
    if (options.svg !== undefined)
      await writeFileAtomic(options.svg, new TextEncoder().encode(await diffSvg(plan, differences)))
    print(options, { plan: plan.id, images: indices, values: differences }, diffText(plan, differences, indices))
  })
}

interface Subject {
  readonly model: Model
  readonly tensors: readonly Tensor[]
  readonly memory: number
}

async function measure(
  bound: BoundPlan,
  { model, tensors, memory }: Subject,
  options: DiffOptions,
): Promise<ValueDifference[]> {
  const { plan, parameters } = bound
  const { signal, dispose } = interruptSignal()
  const quiet = options.quiet ?? false
  const making = startProgress('making keys', quiet)
  const running = startProgress('running', quiet)
  const folder = await mkdtemp(join(options.scratch, 'he-ml-diff-'))
  // a second signal ends the process at once
  const leave = (): void => rmSync(folder, { recursive: true, force: true })
  process.once('exit', leave)
  try {
    await using client = await ClientSession.create(plan, await openClient(parameters, options))
    await writeKeyFolder(client.engine, client.secret, plan.keyRequest as KeyRequest, folder, {
      plan: plan.id,
      signal,
      onProgress: (done, total) => making.update(done / total, `${done} of ${total}`),
    })
    making.stop()
    const host = await openServer(parameters, { ...options, memory })
    await using server = new ServerSession(bound, host, { memory, keepWeights: false })
    await server.openKeys({ kind: 'folder', path: folder })
    return await diffRun(bound, tensors, {
      client,
      server,
      model,
      signal,
      onProgress: ({ fraction, layer }) => running.update(fraction, layer),
    })
  } finally {
    making.stop()
    running.stop()
    await rm(folder, { recursive: true, force: true })
    process.off('exit', leave)
    dispose()
  }
}
