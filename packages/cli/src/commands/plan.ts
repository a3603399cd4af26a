/** he-ml plan: a model and calibration data in, a plan out; no key exists yet. */
import { InvalidArgumentError, PlanError } from '@he-ml/ckks-core'
import { writeFileAtomic } from '@he-ml/ckks-core/node'
import { sealParameters } from '@he-ml/ckks-seal'
import { isCalibrated, type Tensor } from '@he-ml/model'
import { type Calibration, type CompileOptions, compile, fit, type Plan } from '@he-ml/pipeline'
import type { Command } from 'commander'
import { chooseEngine } from '../engines.ts'
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
import { assertWritableFolder } from './common.ts'
import { planCheapest, readWays } from './plan-cheapest.ts'
import { compileOptionsOf, declarePlan, type PlanOptions } from './plan-options.ts'

export function addPlanCommand(program: Command): void {
  declarePlan(program).action(makePlan)
}

async function makePlan(options: PlanOptions): Promise<void> {
  const { signal, dispose } = interruptSignal()
  try {
    if (options.batch !== undefined && options.packing === 'multiplexed')
      throw new InvalidArgumentError(
        '--batch is for --packing batch or channel; multiplexed packing takes one image at a time',
      )
    assertSealCan(options)
    await assertWritableFolder(options.out)
    await assertWritableFolder(options.svg)
    const files = [options.model, options.data, options.machine]
    await assertOutputApart(options.out, { files: [...files, options.svg] })
    await assertOutputApart(options.svg, { files })
    const { step } = options
    const ways = step === 'cheapest' ? await readWays(options.model) : undefined
    const model = step === 'cheapest' ? Object.values(ways!)[0]! : await readModel(options.model, step)
    const { calibration, judges } = await calibrate(model, options, signal)
    const seal = options.engine === 'seal' || (options.engine === 'auto' && chooseEngine('auto') === 'seal')
    const costModel = options.machine === undefined ? undefined : await readMachine(options.machine)
    const compileOptions: CompileOptions = {
      ...(calibration ? { calibration } : {}),
      ...compileOptionsOf(options),
      ...(seal ? { bootstrapping: 'never', request: sealParameters } : {}),
      // as `he-ml run` does it
      keepWeights: false,
      ...(costModel ? { costModel } : {}),
    }
    const { plan, lines } = ways
      ? await planCheapest(ways, { ...compileOptions, samples: judges, signal })
      : { plan: await compile(model, compileOptions), lines: [] }
    signal.throwIfAborted()
    await writePlan(options.out, plan)
    if (options.svg !== undefined) {
      const { planSvg } = await import('../terminal/plan-svg.ts')
      await writeFileAtomic(options.svg, new TextEncoder().encode(await planSvg(plan)))
    }
    report(options, plan, lines)
  } finally {
    dispose()
  }
}

/** SEAL has no bootstrapping: what was asked of one is not quietly left out. */
function assertSealCan({ engine, bootstrapping, refreshLevels }: PlanOptions): void {
  if (engine !== 'seal' || (refreshLevels === undefined && ['auto', 'never'].includes(bootstrapping))) return
  const option = refreshLevels === undefined ? '--bootstrapping' : '--refresh-levels'
  throw new InvalidArgumentError(
    `${option} is for the native engine: SEAL does not bootstrap; leave out one of the two`,
  )
}

function report(options: PlanOptions, plan: Plan, lines: readonly string[]): void {
  const warnings = warningsOf(plan, machineMemory())
  print(
    options,
    {
      plan: options.out,
      id: plan.id,
      report: plan.report,
      parameters: plan.parameters,
      memory: { peakBytes: peakOf(plan), machineBytes: machineMemory() },
      warnings,
      ...(lines.length > 0 ? { steps: lines } : {}),
    },
    [...lines, ...planText(plan), ...warnings.map((warning) => `warning: ${warning}`)],
  )
}

interface Seen {
  readonly calibration?: Calibration
  /** Images after those, as far as there are some, by which ways are judged. */
  readonly judges: readonly Tensor[]
}

/** Of images by which ways are judged. */
const JUDGES = 200

/** Without calibrated activations images are optional: only bootstrapping then wants to know how large values become. */
async function calibrate(
  model: Awaited<ReturnType<typeof readModel>>,
  options: PlanOptions,
  signal: AbortSignal,
): Promise<Seen> {
  if (options.data === undefined && !model.nodes.some(({ layer }) => isCalibrated(layer))) return { judges: [] }
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
  const inputs = {
    *[Symbol.iterator]() {
      for (let i = 0; i < count; i++) yield images.tensor(i)
    },
  }
  try {
    const { equalize } = options
    const calibration = await fit(model, inputs, {
      equalize,
      signal,
      onProgress: (done) => progress.update(done / (equalize ? 2 * count : count)),
    })
    const more = options.step === 'cheapest' ? JUDGES : 0
    const last = Math.min(images.count, count + more)
    return { calibration, judges: Array.from({ length: Math.min(more, last) }, (_, i) => images.tensor(last - 1 - i)) }
  } finally {
    progress.stop()
  }
}
