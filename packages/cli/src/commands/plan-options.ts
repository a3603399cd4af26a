/** The options of he-ml plan, and what they say to the compiler. */
import { BOOTSTRAPPING_SETS, InvalidArgumentError } from '@he-ml/ckks-core'
import { COMPILE_DEFAULTS, type CompileOptions, type Packing } from '@he-ml/pipeline'
import { type Command, Option } from 'commander'
import type { EngineChoice } from '../engines.ts'
import { STEP_CHOICES } from '../files/model-file.ts'
import { type CommonOptions, decimal, integer, withEngine, withOutput } from './common.ts'

export interface PlanOptions extends CommonOptions {
  readonly model: string
  readonly step: (typeof STEP_CHOICES)[number]
  readonly out: string
  readonly data?: string
  readonly split: 'train' | 'test'
  readonly samples: number
  readonly simulate: number
  readonly normalize: string
  readonly packing: Packing | 'auto'
  readonly batch?: number
  readonly degree: number
  readonly margin: number
  readonly equalize: boolean
  readonly channelPolynomials: boolean
  readonly method: 'remez' | 'chebyshev' | 'least-squares' | 'composite'
  readonly error?: number
  readonly scaleBits?: number
  readonly logN?: number
  readonly bootstrapping: string
  readonly refreshLevels?: number
  readonly refreshBits?: number
  readonly memory?: number
  readonly precisionBits?: number
  readonly machine?: string
  readonly svg?: string
  readonly engine: EngineChoice
}

/** The command with its options. */
export function declarePlan(program: Command): Command {
  const command = program
    .command('plan')
    .description(
      'decide everything before any key exists: polynomials, levels, parameters, keys, memory, time, security',
    )
    .requiredOption(
      '-m, --model <file>',
      'network in ONNX, or the description (JSON) of a spiking one, its weights beside it',
    )
    .addOption(
      new Option(
        '--step <how>',
        'how spiking neurons decide: exactly, during a bootstrap; by a polynomial; auto: exactly where they were trained on grids; cheapest: what takes least time and answers 98 % of the images of --simulate as in the clear',
      )
        .choices(STEP_CHOICES)
        .default('auto'),
    )
    .requiredOption('-o, --out <file>', 'where the plan goes (JSON)')
    .option(
      '-d, --data <path>',
      'calibration images: MNIST or CIFAR-10 folder, IDX, CIFAR or NumPy file, or JSON: a list with one list of numbers an input, flat',
    )
    .addOption(new Option('--split <name>', 'part of the data set').choices(['train', 'test']).default('train'))
    .option('--samples <count>', 'calibration images to use', integer(1, 1e6), 2000)
    .option(
      '--simulate <count>',
      'images to judge the plan by in the clear, where activations became polynomials: those of --data after the first --samples; where it has too few, its last ones, calibrated on or not; 0: none',
      integer(0, 1e6),
      100,
    )
    .option('--normalize <spec>', 'auto, mnist, cifar10, none or means/deviations', 'auto')
    .addOption(
      new Option(
        '--packing <kind>',
        'auto: the fastest for --batch; one image at a time; image = slot; or a channel of many images in a ciphertext',
      )
        .choices(['auto', 'multiplexed', 'batch', 'channel'])
        .default('auto'),
    )
    .option(
      '--batch <images>',
      'images per run: for batch packing a power of two, for channel packing any number (room for the next power of two)',
      integer(1, 65536),
    )
  return withOutput(withEngine(withParameters(withActivations(command))))
}

/** How polynomials stand for activations. */
const withActivations = (command: Command): Command =>
  command
    .option('--degree <n>', 'polynomial degree of the activations', integer(1, 1023), COMPILE_DEFAULTS.degree)
    .option(
      '--error <x>',
      'largest error of an activation relative to its range; picks the degree up to --degree',
      decimal(1e-9, 1),
    )
    .option('--no-equalize', 'leave the channels of ReLU networks as they are, instead of bringing them to one range')
    .option(
      '--no-channel-polynomials',
      'one polynomial for all channels of an activation, also where each lies in a ciphertext of its own',
    )
    .option('--margin <x>', 'widen observed ranges by this factor', decimal(1, 100), COMPILE_DEFAULTS.margin)
    .addOption(
      new Option('--method <name>', 'how polynomials are found')
        .choices(['remez', 'chebyshev', 'least-squares', 'composite'])
        .default(COMPILE_DEFAULTS.method),
    )

/** Rings, bootstraps and limits. */
const withParameters = (command: Command): Command =>
  command
    .option(
      '--scale-bits <n>',
      `bits of the scale (default ${COMPILE_DEFAULTS.scaleBits}, or a bootstrapping set's own)`,
      integer(20, 94),
    )
    .option('--log-n <n>', 'force the ring degree 2^n', integer(12, 16))
    .addOption(
      new Option('--bootstrapping <how>', 'auto: where no ring holds the depth; always; never; or the name of a set')
        .choices(['auto', 'always', 'never', ...Object.keys(BOOTSTRAPPING_SETS)])
        .default('auto'),
    )
    .addOption(
      new Option('--refresh-levels <n>', 'bootstrap, with parameters made for so many levels between two bootstraps')
        .argParser(integer(1, 40))
        .conflicts('bootstrapping'),
    )
    .option('--refresh-bits <n>', 'bits that a value keeps, with --refresh-levels (default 13)', decimal(4, 30))
    .option('--memory <GB>', 'refuse plans whose run would need more', decimal(1e-6, 1e6))
    .option(
      '--precision-bits <n>',
      `refuse plans that promise fewer bits than this, relative to the range of the outputs (default ${COMPILE_DEFAULTS.precisionBits})`,
      decimal(-1000, 64),
    )
    .option('--machine <file>', 'operation times measured by `he-ml bench --out`')
    .option('--svg <file>', 'draw levels and times per layer')

/** What they say to the compiler, whichever engine will run the plan. */
export function compileOptionsOf(options: PlanOptions): Partial<CompileOptions> {
  return {
    activation: {
      degree: options.degree,
      margin: options.margin,
      method: options.method,
      ...(options.error === undefined ? {} : { error: options.error }),
      ...(options.channelPolynomials ? {} : { perChannel: false }),
    },
    packing: options.packing,
    ...(options.batch === undefined ? {} : { batch: options.batch }),
    ...(options.scaleBits === undefined ? {} : { scaleBits: options.scaleBits }),
    ...(options.logN === undefined ? {} : { logN: options.logN }),
    bootstrapping: bootstrappingOption(options),
    ...(options.memory === undefined ? {} : { memory: Math.round(options.memory * 1e9) }),
    ...(options.precisionBits === undefined ? {} : { precisionBits: options.precisionBits }),
  }
}

function bootstrappingOption({ bootstrapping: how, refreshLevels, refreshBits }: PlanOptions) {
  if (refreshLevels !== undefined)
    return { levels: refreshLevels, ...(refreshBits === undefined ? {} : { precisionBits: refreshBits }) }
  if (refreshBits !== undefined)
    throw new InvalidArgumentError('--refresh-bits says nothing without --refresh-levels: give both, or neither')
  return how === 'auto' || how === 'always' || how === 'never' ? how : { set: how }
}
