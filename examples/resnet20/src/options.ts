import { availableParallelism, tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { Command } from 'commander'
import { machineMemory, positive, positiveNumber } from './option-types.ts'

/** What is said about a network's demo, and done unless something else is asked for. */
export interface Demo {
  readonly about: string
  /** ONNX file; absent: `compose` makes the network. */
  readonly model?: string
  /** Of the polynomials that stand for ReLUs. */
  readonly degree: number
}

/** What the demo is asked to do. */
export interface DemoOptions {
  /** ONNX file. */
  readonly model?: string
  /** Folder of CIFAR-10's binary version. */
  readonly data: string
  /** Images per run. */
  readonly batch: number
  /** Test images in all. */
  readonly images: number
  /** Of the polynomials that stand for ReLUs. */
  readonly degree: number
  /** Training images that ranges are learned from; default: 4,000 for polynomials that stand for ReLUs, 400 for networks of polynomials. */
  readonly samples?: number
  readonly threads: number
  /** Bytes that the server may hold. */
  readonly memory: number
  /** Where the evaluation keys lie as long as the demo runs. */
  readonly scratch: string
  readonly planOnly: boolean
}

export const SHIPPED_MODEL = fileURLToPath(new URL('../models/resnet20-quadratic.onnx', import.meta.url))

export const RESNET20: Demo = {
  about: 'an encrypted ResNet-20 on photographs of CIFAR-10',
  model: SHIPPED_MODEL,
  degree: 59,
}

/**
 * Reads the command line; `args` without node and script.
 * @throws InvalidArgumentError without a folder of data, saying what belongs into it; CommanderError for anything else that is wrong
 */
export function parseOptions(
  args: readonly string[],
  demo: Demo = RESNET20,
  program: Command = new Command('demo'),
): DemoOptions {
  declare(program, demo).exitOverride().parse(args, { from: 'user' })
  const { data, images, memory, planOnly = false, ...rest } = program.opts<Given>()
  if (data === undefined) throw new InvalidArgumentError(WANTED_DATA)
  return {
    ...rest,
    data,
    images: images ?? rest.batch,
    memory: memory === undefined ? machineMemory() : Math.round(memory * 1e9),
    planOnly,
  }
}

const WANTED_DATA =
  'which images? Give --data FOLDER with CIFAR-10 in its binary version: test_batch.bin, and data_batch_1.bin to learn ranges from ' +
  '(each as it is or as .gz; more data_batch files may lie there; https://www.cs.toronto.edu/~kriz/cifar.html has them)'

/** As commander leaves them. */
interface Given {
  readonly model?: string
  readonly data?: string
  readonly batch: number
  readonly images?: number
  readonly degree: number
  readonly samples?: number
  readonly threads: number
  /** GB. */
  readonly memory?: number
  readonly scratch: string
  readonly planOnly?: boolean
}

const declare = (program: Command, { about, model, degree }: Demo): Command =>
  program
    .description(about)
    .option('--model <file>', 'ONNX network for images of 3 x 32 x 32', model)
    .option('--data <folder>', "CIFAR-10's binary version: test_batch.bin(.gz) and data_batch_1.bin(.gz)")
    .option('--batch <n>', 'images that share a run; 1: one image in as few ciphertexts as possible', positive, 64)
    .option('--images <n>', 'test images in all; default: one batch', positive)
    .option('--degree <n>', 'degree of the polynomials that stand for ReLUs', positive, degree)
    .option(
      '--samples <n>',
      'training images that ranges are learned from; default: 4,000, or 400 without ReLUs',
      positive,
    )
    .option('--threads <n>', 'threads', positive, availableParallelism())
    .option('--memory <GB>', 'what the server may hold; default: what the machine has', positiveNumber)
    .option('--scratch <folder>', 'where the evaluation keys lie meanwhile', tmpdir())
    .option('--plan-only', 'say what it would take, and stop')
