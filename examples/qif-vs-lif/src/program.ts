/** The command line: `run` and `report`. Errors are thrown, not printed; see main.ts. */
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { CancelledError } from '@he-ml/ckks-core'
import { Command, InvalidArgumentError, Option } from 'commander'
import { DEFAULT_SEEDS, EXPERIMENTS, withBudget } from './experiments.ts'
import { writeReport } from './report/write-report.ts'
import { runCommand } from './run/run-command.ts'

const RESULTS = fileURLToPath(new URL('../results', import.meta.url))
const CACHE = fileURLToPath(new URL('../node_modules/.cache/recordings', import.meta.url))

interface RunFlags {
  readonly experiment: string
  readonly data: string
  readonly out: string
  readonly cache: string
  readonly seeds: number
  readonly epochs?: number
  readonly trainSamples?: number
  readonly threads: number
  readonly parallel?: number
}

const integer =
  (most: number) =>
  (text: string): number => {
    const value = Number(text)
    if (!Number.isInteger(value) || value < 1 || value > most)
      throw new InvalidArgumentError(`expected an integer from 1 to ${most}.`)
    return value
  }

/** The program; `parseAsync` runs it. */
export function createProgram(): Command {
  const program = new Command('qif-vs-lif')
    .description('QIF against LIF, and the analytic gradient window against hand-set ones, over several seeds.')
    .showSuggestionAfterError()
    .exitOverride()
  const names = EXPERIMENTS.map(({ name }) => name)
  program
    .command('run')
    .description('train what is not recorded yet; stop it at any time, the same command goes on')
    .addOption(new Option('--experiment <name>', 'which one').choices([...names, 'all']).default('all'))
    .option('--data <folder>', 'folder with the files of MNIST', '../shared/data/mnist')
    .option('--out <folder>', 'folder of results', RESULTS)
    .option('--cache <folder>', 'folder that keeps simulated recordings', CACHE)
    .option('--seeds <n>', 'repetitions of every cell', integer(1000), DEFAULT_SEEDS)
    .option('--epochs <n>', "instead of the experiment's own", integer(1000))
    .option('--train-samples <n>', "instead of the experiment's own", integer(60_000))
    .option('--threads <n>', 'threads of each run', integer(256), 1)
    .option('--parallel <n>', 'runs at once (default: cores / threads)', integer(64))
    .exitOverride()
    .action(runAction)
  program
    .command('report')
    .description('statistics and pictures from the results')
    .option('--out <folder>', 'folder of results', RESULTS)
    .exitOverride()
    .action(async ({ out }: { out: string }) => {
      const { files, verdicts } = await writeReport(out)
      process.stdout.write(`${[...verdicts, '', ...files.map((file) => `written: ${file}`)].join('\n')}\n`)
    })
  return program
}

async function runAction(flags: RunFlags): Promise<void> {
  const { experiment, epochs, trainSamples, threads, parallel, ...rest } = flags
  const experiments = EXPERIMENTS.filter(({ name }) => experiment === 'all' || name === experiment).map((one) =>
    withBudget(one, { epochs, trainSamples }),
  )
  const interruption = interruptSignal()
  try {
    const done = await runCommand({
      ...rest,
      experiments,
      threads,
      parallel: parallel ?? Math.max(1, Math.floor(availableParallelism() / threads)),
      signal: interruption.signal,
    })
    process.stdout.write(done === 0 ? 'nothing left to do\n' : `${done} runs done\n`)
  } finally {
    interruption.dispose()
  }
}

/** Ctrl-C and SIGTERM; a second one ends the process at once. */
function interruptSignal(): { readonly signal: AbortSignal; dispose(): void } {
  const controller = new AbortController()
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(130)
    process.stderr.write('\nstopping; finished runs are recorded. Once more to stop at once\n')
    controller.abort(new CancelledError('interrupted'))
  }
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, onSignal)
  return {
    signal: controller.signal,
    dispose() {
      for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, onSignal)
    },
  }
}
