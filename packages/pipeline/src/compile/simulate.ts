/** A schedule run once on the plan engine: the very circuits that will run tell keys, operations, memory, time and precision. */
import {
  type AnyParameters,
  type CostModel,
  type PlanReport as EngineReport,
  type KeyRequest,
  listKeyNeeds,
} from '@he-ml/ckks-core'
import type { Model } from '@he-ml/model'
import type { ValueSize } from '../fit/fit.ts'
import type { LayerReport, Plan } from '../plan/plan.ts'
import { bootstrapCount } from '../refresh/refresh-shape.ts'
import { ErrorField } from './error-field.ts'
import { ErrorShadow } from './error-shadow.ts'
import { isRefresh, type Schedule, type ScheduledRefresh, type ScheduledStep } from './schedule.ts'
import { Simulation } from './simulation.ts'

/** What a simulation knows of a plan. */
export type Simulated = Pick<Plan, 'keyRequest' | 'input' | 'output' | 'report'>

/** What errors depend on beside the schedule. */
export interface KnownValues {
  /** How large values are, where that is known: errors of products and of bootstraps follow from it. */
  readonly sizes: ReadonlyMap<string, ValueSize>
  /** The model that was lowered: its clear layers tell how errors of elements hang together. */
  readonly model: Model
}

/** Runs a schedule on the plan engine. */
export async function simulate(
  made: Schedule,
  parameters: AnyParameters,
  costModel: CostModel,
  { sizes = new Map(), model }: Partial<KnownValues> = {},
): Promise<Simulated> {
  const main = new Simulation(made, parameters, costModel, sizes)
  const { engine, values } = main
  const [input] = values.input.ciphertexts
  const field =
    model && ErrorField.fits(model, sizes) ? new ErrorField(model, sizes, engine.estimate(input!).error) : undefined
  const both = { main, shadow: new Simulation(made, parameters, costModel, sizes) }
  const shadow = new ErrorShadow(made, both, sizes, field)
  const { inputLayout, inputLevel } = made
  const layers: LayerReport[] = []
  const weights: number[] = []
  for (const step of made.steps) {
    const { report, weightBytes } = await simulateStep(step, made, shadow)
    layers.push(report)
    weights.push(weightBytes)
  }
  const result = values.take(made.output)
  const [output] = result.ciphertexts
  const whole = engine.report()
  return {
    keyRequest: plain(whole.keyRequest) as Plan['keyRequest'],
    input: {
      level: inputLevel,
      scale: parameters.scaleAt(inputLevel),
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
      memory: memoryOf(whole, leanWeights(made, weights), 2 * parameters.ringDegree * 8),
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

async function simulateStep(
  step: ScheduledStep,
  made: Schedule,
  shadow: ErrorShadow,
): Promise<{ readonly report: LayerReport; readonly weightBytes: number }> {
  const { encoding, weightBytes, running, ciphertexts, errors } = await shadow.step(step)
  const report: LayerReport = {
    name: step.name,
    kind: step.kind,
    level: step.level,
    outputLevel: ciphertexts[0]!.level,
    ciphertexts: ciphertexts.length,
    seconds: running.seconds,
    encodeSeconds: encoding.seconds,
    ...operationCounts(running.totals),
    precisionBits: worst(errors.map((error) => -Math.log2(error))),
    ...(isRefresh(step) ? { refresh: refreshReport(step, made) } : {}),
  }
  return { report, weightBytes }
}

/** @param more bytes that no handle shows */
function memoryOf(whole: EngineReport, lean: number, more: number): Plan['report']['memory'] {
  const { ciphertextBytes, plaintextBytes, keyBytes, scratchBytes } = whole
  const peakBytes = Math.round(whole.peakBytes + more)
  const leanPeakBytes = Math.round(ciphertextBytes.peak + keyBytes + scratchBytes + lean + more)
  return { peakBytes, leanPeakBytes: Math.min(peakBytes, leanPeakBytes), weightBytes: plaintextBytes.peak }
}

/** Weights when layers drop theirs after use: those of two neighbours, and every bootstrapping circuit. */
function leanWeights({ steps }: Schedule, weights: readonly number[]): number {
  const seen = new Set<number>()
  let circuits = 0
  const own = steps.map((step, i) => {
    if (!isRefresh(step) || seen.has(step.circuit)) return weights[i]!
    // a circuit is encoded by the first step that uses it
    seen.add(step.circuit)
    circuits += weights[i]!
    return 0
  })
  return circuits + own.reduce((most, bytes, i) => Math.max(most, bytes + (own[i + 1] ?? 0)), 0)
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

/** Union bound over all bootstraps; 0 without any, or when each one's own bound is 0. */
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
