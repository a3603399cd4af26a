/** he-ml simulate: what a plan does to accuracy, found in the clear before any key exists. */
import { type SimulationReport, simulate } from '@he-ml/pipeline'
import type { Command } from 'commander'
import { Option } from 'commander'
import { bindFiles } from '../files/bind-files.ts'
import { openImages } from '../files/images.ts'
import { readModel, stepOf } from '../files/model-file.ts'
import { readPlan } from '../files/plan-file.ts'
import { print } from '../terminal/output.ts'
import { startProgress } from '../terminal/progress.ts'
import { interruptSignal } from '../terminal/signal.ts'
import { simulationText } from '../terminal/simulation-text.ts'
import { type CommonOptions, integer, withOutput } from './common.ts'

interface SimulateCommandOptions extends CommonOptions {
  readonly plan: string
  readonly model: string
  readonly data: string
  readonly split: 'train' | 'test'
  readonly samples: number
  readonly normalize: string
}

export function addSimulateCommand(program: Command): void {
  const command = program
    .command('simulate')
    .description('many images through the network and through its plan, in the clear: accuracy before any key exists')
    .requiredOption('-p, --plan <file>', 'the plan')
    .requiredOption('-m, --model <file>', 'the network the plan was made for')
    .requiredOption(
      '-d, --data <path>',
      'images, other ones than the plan was made with: MNIST or CIFAR-10 folder, IDX, CIFAR or NumPy file, or JSON: a list with one list of numbers an input, flat',
    )
    .addOption(new Option('--split <name>', 'part of the data set').choices(['train', 'test']).default('test'))
    .option('--samples <count>', 'images to use, from the first', integer(1, 1e6), 512)
    .option('--normalize <spec>', 'auto, mnist, cifar10, none or means/deviations', 'auto')
  withOutput(command).action(simulateCommand)
}

async function simulateCommand(options: SimulateCommandOptions): Promise<void> {
  const { signal, dispose } = interruptSignal()
  const progress = startProgress('simulating', options.quiet ?? false)
  try {
    const plan = await readPlan(options.plan)
    const model = await readModel(options.model, stepOf(plan))
    const bound = await bindFiles(plan, model, options)
    const images = await openImages(options.data, plan.model.input, {
      split: options.split,
      normalization: options.normalize,
    })
    const count = Math.min(options.samples, images.count)
    const { label } = images
    const inputs = {
      *[Symbol.iterator]() {
        for (let i = 0; i < count; i++) yield images.tensor(i)
      },
    }
    const report: SimulationReport = await simulate(bound, model, inputs, {
      signal,
      onProgress: (done) => progress.update(done / count),
      ...(label ? { labels: Array.from({ length: count }, (_, i) => label(i)) } : {}),
    })
    progress.stop()
    print(options, { plan: plan.id, simulation: report }, simulationText(report))
  } finally {
    progress.stop()
    dispose()
  }
}
