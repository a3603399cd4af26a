/** A schedule run once on the plan engine: the very circuits that will run tell keys, operations, memory, time and precision. */
import { type AnyParameters, type CostModel, type KeyRequest, listKeyNeeds } from '@he-ml/ckks-core'
import type { ValueSize } from '../fit/fit.ts'
import type { LayerReport, Plan } from '../plan/plan.ts'
import { bootstrapCount } from '../refresh/refresh-shape.ts'
import { ErrorShadow } from './error-shadow.ts'
import { isRefresh, type Schedule, type ScheduledRefresh, type ScheduledStep } from './schedule.ts'
import { Simulation } from './simulation.ts'

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
  const main = new Simulation(made, parameters, costModel, sizes)
  const shadow = new ErrorShadow(made, main, new Simulation(made, parameters, costModel, sizes), sizes)
  const { engine, values } = main
  const { inputLayout, inputLevel } = made
  const layers: LayerReport[] = []
  for (const step of made.steps) layers.push(await simulateStep(step, made, shadow))
  const result = values.take(made.output)
  const [output] = result.ciphertexts
  const whole = engine.report()
  const limbBytes = parameters.ringDegree * 8
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

async function simulateStep(step: ScheduledStep, made: Schedule, shadow: ErrorShadow): Promise<LayerReport> {
  const { encoding, running, ciphertexts, errors } = await shadow.step(step)
  return {
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
