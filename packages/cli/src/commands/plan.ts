/** he-ml plan: a model and calibration data in, a plan out; no key exists yet. */
import { BOOTSTRAPPING_SETS, InvalidArgumentError, PlanError } from '@he-ml/ckks-core'
import { writeFileAtomic } from '@he-ml/ckks-core/node'
import { sealParameters } from '@he-ml/ckks-seal'
import { isCalibrated } from '@he-ml/model'
import { type Calibration, type CompileOptions, compile, fit } from '@he-ml/pipeline'
import { type Command, Option } from 'commander'
import { chooseEngine, type EngineChoice } from '../engines.ts'
import { assertOutputApart } from '../files/assert-output-apart.ts'
import { openImages } from '../files/images.ts'
import { readMachine } from '../files/machine-file.ts'
import { readModel } from '../files/model-file.ts'
import { writePlan } from '../files/plan-file.ts'
import { machineMemory, peakOf } from '../machine-memory.ts'
import { print } from '../terminal/output.ts'
import { planText } from '../terminal/plan-text.ts'
import { warningsOf } from '../terminal/plan-warnings.ts'
import { startProgress } from '../terminal/progress.ts'
import { interruptSignal } from '../terminal/signal.ts'
import { assertWritableFolder, type CommonOptions, decimal, integer, withEngine, withOutput } from './common.ts'

interface PlanOptions extends CommonOptions {
  readonly model: string
  readonly out: string
  readonly data?: string
  readonly split: 'train' | 'test'
  readonly samples: number
  readonly normalize: string
  readonly packing: 'multiplexed' | 'batch'
  readonly batch?: number
  readonly degree: number
  readonly margin: number
  readonly method: 'remez' | 'chebyshev' | 'least-squares' | 'composite'
  readonly error?: number
  readonly scaleBits: number
  readonly logN?: number
  readonly bootstrapping: string
  readonly memory?: number
  readonly precisionBits?: number
  readonly machine?: string
  readonly svg?: string
  readonly engine: EngineChoice
}

export function addPlanCommand(program: Command): void {
  const command = program
    .command('plan')
    .description(
      'decide everything before any key exists: polynomials, levels, parameters, keys, memory, time, security',
    )
    .requiredOption('-m, --model <file>', 'network in ONNX')
    .requiredOption('-o, --out <file>', 'where the plan goes (JSON)')
    .option('-d, --data <path>', 'calibration images: MNIST or CIFAR-10 folder, IDX or CIFAR file, or tensors in JSON')
    .addOption(new Option('--split <name>', 'part of the data set').choices(['train', 'test']).default('train'))
    .option('--samples <count>', 'calibration images to use', integer(1, 1e6), 2000)
    .option('--normalize <spec>', 'auto, mnist, cifar10, none or means/deviations', 'auto')
    .addOption(
      new Option('--packing <kind>', 'one image at a time, or image = slot')
        .choices(['multiplexed', 'batch'])
        .default('multiplexed'),
    )
    .option('--batch <images>', 'images per run (batch packing); a power of two', integer(1, 65536))
    .option('--degree <n>', 'polynomial degree of the activations', integer(1, 1023), 15)
    .option(
      '--error <x>',
      'largest error of an activation relative to its range; picks the degree up to --degree',
      decimal(1e-9, 1),
    )
    .option('--margin <x>', 'widen observed ranges by this factor', decimal(1, 100), 1.25)
    .addOption(
      new Option('--method <name>', 'how polynomials are found')
        .choices(['remez', 'chebyshev', 'least-squares', 'composite'])
        .default('least-squares'),
    )
    .option('--scale-bits <n>', 'bits of the scale', integer(20, 94), 32)
    .option('--log-n <n>', 'force the ring degree 2^n', integer(12, 16))
    .addOption(
      new Option('--bootstrapping <how>', 'auto: where no ring holds the depth; always; never; or the name of a set')
        .choices(['auto', 'always', 'never', ...Object.keys(BOOTSTRAPPING_SETS)])
        .default('auto'),
    )
    .option('--memory <GB>', 'refuse plans whose run would need more', decimal(1e-6, 1e6))
    .option(
      '--precision-bits <n>',
      'refuse plans that promise fewer bits than this, relative to the range of the outputs (default 4)',
      decimal(-1000, 64),
    )
    .option('--machine <file>', 'operation times measured by `he-ml bench --out`')
    .option('--svg <file>', 'draw levels and times per layer')
  withOutput(withEngine(command)).action(async (options: PlanOptions) => {
    const { signal, dispose } = interruptSignal()
    try {
      if (options.batch !== undefined && options.packing !== 'batch')
        throw new InvalidArgumentError('--batch is for --packing batch; multiplexed packing takes one image at a time')
      await assertWritableFolder(options.out)
      await assertWritableFolder(options.svg)
      const files = [options.model, options.data, options.machine]
      await assertOutputApart(options.out, { files: [...files, options.svg] })
      await assertOutputApart(options.svg, { files })
      const model = await readModel(options.model)
      const calibration = await calibrate(model, options, signal)
      const seal = options.engine === 'seal' || (options.engine === 'auto' && chooseEngine('auto') === 'seal')
      const costModel = options.machine === undefined ? undefined : await readMachine(options.machine)
      const plan = await compile(model, {
        ...(calibration ? { calibration } : {}),
        activation: {
          degree: options.degree,
          margin: options.margin,
          method: options.method,
          ...(options.error === undefined ? {} : { error: options.error }),
        },
        packing: options.packing,
        ...(options.batch === undefined ? {} : { batch: options.batch }),
        scaleBits: options.scaleBits,
        ...(options.logN === undefined ? {} : { logN: options.logN }),
        bootstrapping: seal ? 'never' : bootstrappingOption(options.bootstrapping),
        ...(options.memory === undefined ? {} : { memory: Math.round(options.memory * 1e9) }),
        ...(options.precisionBits === undefined ? {} : { precisionBits: options.precisionBits }),
        // as `he-ml run` does it
        keepWeights: false,
        ...(costModel ? { costModel } : {}),
        ...(seal ? { request: sealParameters } : {}),
      })
      signal.throwIfAborted()
      await writePlan(options.out, plan)
      if (options.svg !== undefined) {
        const { planSvg } = await import('../terminal/plan-svg.ts')
        await writeFileAtomic(options.svg, new TextEncoder().encode(await planSvg(plan)))
      }
      print(
        options,
        {
          plan: options.out,
          id: plan.id,
          report: plan.report,
          parameters: plan.parameters,
          memory: { peakBytes: peakOf(plan), machineBytes: machineMemory() },
          warnings: warningsOf(plan, machineMemory()),
        },
        [...planText(plan), ...warningsOf(plan, machineMemory()).map((warning) => `warning: ${warning}`)],
      )
    } finally {
      dispose()
    }
  })
}

const bootstrappingOption = (how: string): NonNullable<CompileOptions['bootstrapping']> =>
  how === 'auto' || how === 'always' || how === 'never' ? how : { set: how }

/** Without calibrated activations images are optional: only bootstrapping then wants to know how large values become. */
async function calibrate(
  model: Awaited<ReturnType<typeof readModel>>,
  options: PlanOptions,
  signal: AbortSignal,
): Promise<Calibration | undefined> {
  if (options.data === undefined && !model.nodes.some(({ layer }) => isCalibrated(layer))) return undefined
  if (options.data === undefined)
    throw new PlanError(
      'range',
      'the network has activations whose range must be known: give calibration images with --data',
    )
  const images = await openImages(options.data, model.inputShape, {
    split: options.split,
    normalization: options.normalize,
  })
  const count = Math.min(options.samples, images.count)
  const progress = startProgress('calibrating', options.quiet ?? false)
  const inputs = (function* () {
    for (let i = 0; i < count; i++) yield images.tensor(i)
  })()
  try {
    return await fit(model, inputs, { signal, onProgress: (done) => progress.update(done / count) })
  } finally {
    progress.stop()
  }
}
