/** A schedule run once on the plan engine: the very circuits that will run tell keys, operations, memory, time and precision. */
import {
  type AnyParameters,
  type CostModel,
  createPlanEngine,
  type PlanReport as EngineReport,
  type KeyRequest,
  listKeyNeeds,
  type PlanEngine,
  toLevel,
} from '@he-ml/ckks-core'
import { PackedTensor } from '@he-ml/packing'
import type { ValueSize } from '../fit/fit.ts'
import type { LayerReport, Plan } from '../plan/plan.ts'
import { bootstrapCount } from '../refresh/refresh-shape.ts'
import { StepPreparer } from '../run/step-preparer.ts'
import { ValueTable } from '../run/value-table.ts'
import { isRefresh, type Schedule, type ScheduledRefresh, type ScheduledStep } from './schedule.ts'

/** What a simulation knows of a plan. */
export type Simulated = Pick<Plan, 'keyRequest' | 'input' | 'output' | 'report'>

/**
 * Runs a schedule on the plan engine.
 * @param sizes how large values are, where that is known: errors of products and of bootstraps follow from it
 */
export async function simulate(
  made: Schedule,
  parameters: AnyParameters,
  costModel: CostModel,
  sizes: ReadonlyMap<string, ValueSize> = new Map(),
): Promise<Simulated> {
  const engine = createPlanEngine(parameters, { costModel })
  const { inputLayout, inputLevel } = made
  const scale = parameters.scaleAt(inputLevel)
  const inputs = Array.from({ length: inputLayout.ciphertexts }, () =>
    engine.input({ level: inputLevel, scale, slots: inputLayout.slots, magnitude: sizes.get(made.input)?.rms ?? 1 }),
  )
  const values = new ValueTable(made, 0, new PackedTensor(inputLayout, inputs))
  const preparer = new StepPreparer(made, engine)
  const layers: LayerReport[] = []
  for (const step of made.steps) layers.push(await simulateStep(step, made, { engine, preparer, values, sizes }))
  const result = values.take(made.output)
  const [output] = result.ciphertexts
  const whole = engine.report()
  const limbBytes = parameters.ringDegree * 8
  return {
    keyRequest: plain(whole.keyRequest) as Plan['keyRequest'],
    input: {
      level: inputLevel,
      scale,
      slots: inputLayout.slots,
      ciphertexts: inputLayout.ciphertexts,
      layout: plain(inputLayout),
    },
    output: {
      level: output!.level,
      scale: output!.scale,
      slots: result.layout.slots,
      ciphertexts: result.ciphertexts.length,
      layout: plain(result.layout),
    },
    report: {
      depth: depthOf(made),
      logN: parameters.logN,
      logQP: parameters.logQP,
      securityMarginBits: parameters.securityMargin,
      ...operationCounts(whole.totals),
      keys: {
        count: listKeyNeeds(whole.keyRequest as KeyRequest).length,
        bytes: whole.keyBytes,
        fileBytes: whole.keyFileBytes,
      },
      ciphertexts: {
        input: inputLayout.ciphertexts,
        inputBytes: inputLayout.ciphertexts * parameters.limbsAt(inputLevel) * parameters.ringDegree * 6,
        output: result.ciphertexts.length,
        outputBytes: result.ciphertexts.length * 2 * parameters.limbsAt(output!.level) * parameters.ringDegree * 6,
      },
      memory: { peakBytes: Math.round(whole.peakBytes + 2 * limbBytes), weightBytes: whole.plaintextBytes.peak },
      seconds: layers.reduce((sum, l) => sum + l.seconds, 0),
      encodeSeconds: layers.reduce((sum, l) => sum + l.encodeSeconds, 0),
      costModel: costModel.name,
      threads: costModel.threads,
      precisionBits: layers.at(-1)!.precisionBits,
      failureProbability: failureProbability(made),
      layers,
    },
  }
}

interface Simulation {
  readonly engine: PlanEngine
  readonly preparer: StepPreparer
  readonly values: ValueTable
  readonly sizes: ReadonlyMap<string, ValueSize>
}

async function simulateStep(step: ScheduledStep, made: Schedule, simulation: Simulation): Promise<LayerReport> {
  const { engine, preparer, values, sizes } = simulation
  const beforeEncoding = engine.checkpoint()
  const prepared = await preparer.prepare(step)
  const encoding: EngineReport = engine.report({ since: beforeEncoding })
  const before = engine.checkpoint()
  const aligned = values.read(step).map((tensor) => align(engine, tensor, step))
  const outputs = await prepared.apply(
    engine,
    aligned.map((a) => a.tensor),
  )
  for (const a of aligned) if (a.temporary) a.tensor.dispose()
  const used = engine.report({ since: before })
  const size = sizes.get(step.name)
  if (size) for (const c of outputs[0]!.ciphertexts) engine.declareMagnitude(c, size.rms)
  values.write(step, outputs)
  const ciphertexts = outputs.flatMap((tensor) => tensor.ciphertexts)
  return {
    name: step.name,
    kind: step.kind,
    level: step.level,
    outputLevel: ciphertexts[0]!.level,
    ciphertexts: ciphertexts.length,
    seconds: used.seconds,
    encodeSeconds: encoding.seconds,
    ...operationCounts(used.totals),
    precisionBits: worst(ciphertexts.map((c) => engine.estimate(c).precisionBits)),
    ...(isRefresh(step) ? { refresh: refreshReport(step, made) } : {}),
  }
}

function align(engine: PlanEngine, tensor: PackedTensor, { level }: ScheduledStep) {
  if (tensor.level === level) return { tensor, temporary: false }
  const lowered = tensor.ciphertexts.map((c) => toLevel(engine, c, level))
  return { tensor: new PackedTensor(tensor.layout, lowered), temporary: true }
}

function refreshReport({ circuit, range, shape, values }: ScheduledRefresh, { circuits }: Schedule) {
  const { bootstrapping } = circuits[circuit]!
  const { slots, content } = bootstrapping.spec
  return {
    values: [...values],
    bootstraps: bootstrapCount(bootstrapping, shape),
    slots,
    content,
    merge: shape.merge,
    range,
  }
}

/** Union bound over all bootstraps. */
function failureProbability({ steps, circuits }: Schedule): number {
  let sum = 0
  for (const step of steps) {
    if (!isRefresh(step)) continue
    const { bootstrapping } = circuits[step.circuit]!
    sum += bootstrapCount(bootstrapping, step.shape) * bootstrapping.failureProbability
  }
  return Math.min(1, sum)
}

/** Levels from input to output on the longest path, bootstraps not counted. */
function depthOf({ nodes, input, output }: Schedule): number {
  const depth = new Map<string, number>([[input, 0]])
  for (const { name, inputs, lowered } of nodes)
    depth.set(name, lowered.depth + Math.max(...inputs.map((i) => depth.get(i)!)))
  return depth.get(output)!
}

function operationCounts(totals: Readonly<Partial<Record<string, number>>>): {
  rotations: number
  products: number
  plaintextProducts: number
} {
  const of = (...kinds: string[]) => kinds.reduce((sum, kind) => sum + (totals[kind] ?? 0), 0)
  return {
    rotations: of('rotate', 'conjugate', 'hoistedRotation', 'transformBaby', 'transformGiant'),
    products: of('mul'),
    plaintextProducts: of('mulPlain', 'transformTerm', 'matrixProduct', 'mulScalar'),
  }
}

const plain = (value: object): Record<string, unknown> => JSON.parse(JSON.stringify(value))
const worst = (bits: readonly number[]): number =>
  bits.reduce((a, b) => Math.min(a, Number.isFinite(b) ? b : 1074), 1074)
