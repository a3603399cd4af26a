/** he-ml plan: a model and calibration data in, a plan out; no key exists yet. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { writeFileAtomic } from '@he-ml/ckks-core/node'
import { assertSealHolds, type SealLoad, sealCostModel, sealParameters } from '@he-ml/ckks-seal'
import { type CompileOptions, type Plan, parametersOf } from '@he-ml/pipeline'
import type { Command } from 'commander'
import { chooseEngine } from '../engines.ts'
import { assertOutputApart } from '../files/assert-output-apart.ts'
import { readMachine } from '../files/machine-file.ts'
import { readModel } from '../files/model-file.ts'
import { writePlan } from '../files/plan-file.ts'
import { machineMemory, peakOf } from '../machine-memory.ts'
import { inCallerWords } from '../terminal/caller-words.ts'
import { print } from '../terminal/output.ts'
import { planText } from '../terminal/plan-text.ts'
import { warningsOf } from '../terminal/plan-warnings.ts'
import { startProgress } from '../terminal/progress.ts'
import { interruptSignal } from '../terminal/signal.ts'
import { simulationText } from '../terminal/simulation-text.ts'
import { assertWritableFolder } from './common.ts'
import { type Planned, planAndSimulate, planCheapest, readWays } from './make-plan.ts'
import { compileOptionsOf, declarePlan, type PlanOptions } from './plan-options.ts'
import { readSamples } from './plan-samples.ts'

export function addPlanCommand(program: Command): void {
  declarePlan(program).action(makePlan)
}

async function makePlan(options: PlanOptions): Promise<void> {
  const { signal, dispose } = interruptSignal()
  const planning = startProgress('planning', options.quiet ?? false)
  try {
    if (options.batch !== undefined && options.packing === 'multiplexed')
      throw new InvalidArgumentError(
        '--batch is for --packing batch or channel; multiplexed packing takes one image at a time',
      )
    const seal = chooseEngine(options.engine) === 'seal'
    if (seal) assertSealCan(options)
    await assertWritableFolder(options.out)
    await assertWritableFolder(options.svg)
    const files = [options.model, options.data, options.machine]
    await assertOutputApart(options.out, { files: [...files, options.svg] })
    await assertOutputApart(options.svg, { files })
    const { step } = options
    const ways = step === 'cheapest' ? await readWays(options.model) : undefined
    const model = step === 'cheapest' ? Object.values(ways!)[0]! : await readModel(options.model, step)
    const { calibration, judges } = await readSamples(model, options, signal)
    const costModel =
      options.machine !== undefined ? await readMachine(options.machine) : seal ? sealCostModel() : undefined
    const compileOptions: CompileOptions = {
      ...(calibration ? { calibration } : {}),
      ...compileOptionsOf(options),
      ...(seal ? { bootstrapping: 'never', request: sealParameters } : {}),
      // as `he-ml run` does it
      keepWeights: false,
      ...(costModel ? { costModel } : {}),
      signal,
      onProgress: (stage, fraction) => planning.update(fraction, stage),
    }
    const planned = ways
      ? await planCheapest(ways, { ...compileOptions, ...judges, signal })
      : await planAndSimulate(model, { ...compileOptions, ...judges, signal })
    const { plan } = planned
    planning.stop()
    signal.throwIfAborted()
    if (seal) assertSealHolds(sealLoadOf(plan))
    await writePlan(options.out, plan)
    if (options.svg !== undefined) {
      const { planSvg } = await import('../terminal/plan-svg.ts')
      await writeFileAtomic(options.svg, new TextEncoder().encode(await planSvg(plan)))
    }
    report(options, planned)
  } catch (failure) {
    throw inCallerWords(failure)
  } finally {
    planning.stop()
    dispose()
  }
}

/** What a run of the plan holds at one time: its peak without keys, which SEAL has at eight bytes a residue, as all else. */
const sealLoadOf = (plan: Plan): SealLoad => ({
  parameters: parametersOf(plan),
  keysAtOnce: Math.max(0, ...plan.tasks.map(({ keys }) => keys.length)),
  valueBytes: peakOf(plan) - plan.report.keys.bytes,
})

/** SEAL has no bootstrapping: what was asked of one is not quietly left out. */
function assertSealCan({ bootstrapping, refreshLevels }: PlanOptions): void {
  if (refreshLevels === undefined && ['auto', 'never'].includes(bootstrapping)) return
  const option = refreshLevels === undefined ? '--bootstrapping' : '--refresh-levels'
  throw new InvalidArgumentError(
    `${option} is for the native engine: SEAL does not bootstrap; leave out one of the two`,
  )
}

function report(options: PlanOptions, { plan, simulation, known = 0, lines }: Planned): void {
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
      ...(simulation ? { simulation, calibratedOn: known } : {}),
    },
    [
      ...lines,
      ...planText(plan),
      ...(simulation ? ['', ...knownText(known), ...simulationText(simulation)] : []),
      ...warnings.map((warning) => `warning: ${warning}`),
    ],
  )
}

const knownText = (known: number): string[] =>
  known === 0
    ? []
    : [
        `${known} of the simulated images were calibrated on as well, since there are no others: accuracy elsewhere may be lower`,
      ]
