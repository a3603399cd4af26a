import { existsSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { machineMemory, positive, positiveNumber } from '@he-ml/example-resnet20/option-types'
import { Command, Option } from 'commander'

/** How encrypted neurons decide: exactly, during a functional bootstrap; softly, by polynomials; as the model was trained for. */
export type StepChoice = 'auto' | 'functional' | 'polynomial'

/** What the demo is asked to do. */
export interface DemoOptions {
  /** One of the shipped models by name, or the description (.json) of another, beside its weights. */
  readonly model: string
  readonly step: StepChoice
  /** Test digits or recordings in all. */
  readonly inputs: number
  /** How many share a run. */
  readonly batch: number
  /** Folder with MNIST's files; recordings are simulated from its digits. */
  readonly data: string
  /** Training inputs that ranges are learned from; default: 2,000 digits or 300 recordings. */
  readonly samples?: number
  readonly threads: number
  /** Bytes that the server may hold. */
  readonly memory: number
  /** Where the evaluation keys lie as long as they are needed. */
  readonly scratch: string
  /** Where pictures go. */
  readonly out: string
  /** Whether one run is looked at from inside. */
  readonly look: boolean
  readonly planOnly: boolean
}

/** Beside the repository. */
const SHARED_DATA = fileURLToPath(new URL('../../../../shared/data/mnist', import.meta.url))

/**
 * Reads the command line; `args` without node and script.
 *
 * @param shared taken where no folder of data is given, if it is there
 * @throws InvalidArgumentError without a folder of data, saying what belongs into it; CommanderError for anything else that is wrong
 */
export function parseOptions(
  args: readonly string[],
  program: Command = new Command('privspike'),
  shared: string = SHARED_DATA,
): DemoOptions {
  declare(program).exitOverride().parse(args, { from: 'user' })
  const { data = shared, inputs, memory, planOnly = false, ...rest } = program.opts<Given>()
  if (!existsSync(data)) throw new InvalidArgumentError(`${data}: there is no such folder. ${WANTED_DATA}`)
  return {
    ...rest,
    data,
    inputs: inputs ?? (rest.batch > 1 ? rest.batch : 5),
    memory: memory === undefined ? machineMemory() : Math.round(memory * 1e9),
    planOnly,
  }
}

const WANTED_DATA =
  'Give --data FOLDER with the files of MNIST, each as it is or as .gz: t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte to be classified, ' +
  'train-images-idx3-ubyte and train-labels-idx1-ubyte to learn ranges from. Recordings of events are simulated from the same digits.'

/** As commander leaves them. */
interface Given extends Omit<DemoOptions, 'data' | 'inputs' | 'memory' | 'planOnly'> {
  readonly data?: string
  readonly inputs?: number
  /** GB. */
  readonly memory?: number
  readonly planOnly?: boolean
}

const declare = (program: Command): Command =>
  program
    .description(
      'a spiking LeNet-5 on encrypted digits (MNIST) or on recordings of an event camera (simulated N-MNIST)',
    )
    .option(
      '--model <name>',
      'a model of examples/train-spiking-lenet5/models, or the .json of another',
      'mnist-lif-t2-grid',
    )
    .addOption(
      new Option('--step <how>', 'exact spikes, soft ones, or exact where the model has grids')
        .choices(['auto', 'functional', 'polynomial'])
        .default('auto'),
    )
    .option('--inputs <n>', 'test digits or recordings in all; default: 5, or one batch', positive)
    .option('--batch <n>', 'how many share a run; 1: one input in as few ciphertexts as possible', positive, 1)
    .option('--data <folder>', 'files of MNIST; default: ../shared/data/mnist, if it is there')
    .option(
      '--samples <n>',
      'training inputs that ranges are learned from; default: 2,000, or 300 recordings',
      positive,
    )
    .option('--threads <n>', 'threads', positive, availableParallelism())
    .option('--memory <GB>', 'what the server may hold; default: what the machine has', positiveNumber)
    .option('--scratch <folder>', 'where the evaluation keys lie meanwhile', tmpdir())
    .option('--out <folder>', 'where pictures go', 'demo-output/privspike')
    .option('--no-look', 'do not look into a run; no pictures')
    .option('--plan-only', 'say what it would take, and stop')
