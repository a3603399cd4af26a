/** A program run once on the plan engine: the very circuits that will run tell keys, operations, memory, time and precision. */
import {
  type AnyParameters,
  type CostModel,
  type PlanReport as EngineReport,
  type KeyNeed,
  listKeyNeeds,
  type Pacer,
  PlanError,
} from '@he-ml/ckks-core'
import type { Model } from '@he-ml/model'
import { madeBytes } from '../execute/memory-figures.ts'
import type { Plan } from '../plan/plan-form.ts'
import type { LayerReport } from '../plan/plan-report.ts'
import { inputCiphertexts, type Program, weightUses } from '../program/program.ts'
import { bootstrapCount } from '../program/refresh-shape.ts'
import { isRefresh, type RefreshTask, type Task } from '../program/task.ts'
import type { WeightsId } from '../program/weights.ts'
import type { ValueSize } from '../ready/calibration.ts'
import { ErrorField } from './error-field.ts'
import { ErrorShadow } from './error-shadow.ts'
import { gib } from './gib.ts'
import { Simulation } from './simulation.ts'

/** What a task takes beside time. */
export interface TaskFigures {
  readonly keys: readonly KeyNeed[]
  /** Bytes of ciphertexts by which it rises above what lived before. */
  readonly workBytes: number
}

/** What a simulation knows of a plan. */
export interface Simulated
  extends Pick<Plan, 'keyRequest' | 'input' | 'output' | 'report' | 'weights' | 'deferredWeights'> {
  /** By task. */
  readonly figures: readonly TaskFigures[]
}

/** What errors depend on beside the program. */
export interface KnownValues {
  /** How large values are, where that is known: errors of products and of bootstraps follow from it. */
  readonly sizes: ReadonlyMap<string, ValueSize>
  /** The model that was lowered: its clear layers tell how errors of elements hang together. */
  readonly model: Model
  /** Bytes above which nobody wants to hear of the rest. */
  readonly memory: number
  readonly pacer: Pacer
  /** Share of the tasks that are done. */
  readonly onProgress: (fraction: number) => void
}

/** Runs a program on the plan engine. @throws PlanError ('memory') as soon as more is needed than may be */
export async function simulate(
  program: Program,
  parameters: AnyParameters,
  costModel: CostModel,
  known: Partial<KnownValues> = {},
): Promise<Simulated> {
  const { sizes = new Map(), model } = known
  const main = new Simulation(program, parameters, costModel, sizes)
  const { engine, values } = main
  const [input] = values.get(program.input.values[0]!.id)!
  const field =
    model && ErrorField.fits(model, sizes) ? new ErrorField(model, sizes, engine.estimate(input!).error) : undefined
  const both = { main, shadow: new Simulation(program, parameters, costModel, sizes, true) }
  const shadow = new ErrorShadow(program, both, sizes, field)
  const { whole: inputLayout, level: inputLevel } = program.input
  const inputCount = inputCiphertexts(program.input)
  const { layers, figures } = await simulateTasks(program, shadow, known)
  const result = values.takeOutput()
  const [output] = result.ciphertexts
  const whole = engine.report()
  return {
    figures,
    weights: Object.fromEntries(main.weightBytes),
    deferredWeights: Object.fromEntries(main.deferredWeightBytes),
    keyRequest: whole.keyRequest,
    input: {
      level: inputLevel,
      scale: parameters.scaleAt(inputLevel),
      slots: inputLayout.slots,
      ciphertexts: inputCount,
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
      depth: depthOf(program),
      logN: parameters.logN,
      logQP: parameters.logQP,
      securityMarginBits: parameters.securityMargin,
      ...operationCounts(whole.totals),
      keys: {
        count: listKeyNeeds(whole.keyRequest).length,
        bytes: whole.keyBytes,
        fileBytes: whole.keyFileBytes,
      },
      ciphertexts: {
        input: inputCount,
        inputBytes: inputCount * parameters.limbsAt(inputLevel) * parameters.ringDegree * 6,
        output: result.ciphertexts.length,
        outputBytes: result.ciphertexts.length * 2 * parameters.limbsAt(output!.level) * parameters.ringDegree * 6,
      },
      memory: memoryOf(whole, leanWeights(main, program, whole.threads), 2 * parameters.ringDegree * 8),
      seconds: layers.reduce((sum, l) => sum + l.seconds, 0),
      encodeSeconds: layers.reduce((sum, l) => sum + l.encodeSeconds, 0),
      costModel: costModel.name,
      threads: costModel.threads,
      precisionBits: layers.at(-1)!.precisionBits,
      failureProbability: Math.min(1, failureProbability(program) + main.decisions.failureProbability),
      ...(main.decisions.margin === undefined ? {} : { decisionMargin: main.decisions.margin }),
      layers,
    },
  }
}

/** One task after the other. @throws PlanError ('memory'); CancelledError through the pacer's signal */
async function simulateTasks(
  program: Program,
  shadow: ErrorShadow,
  { memory, pacer, onProgress }: Partial<KnownValues>,
): Promise<{ readonly layers: LayerReport[]; readonly figures: TaskFigures[] }> {
  const layers: LayerReport[] = []
  const figures: TaskFigures[] = []
  for (const [i, task] of program.tasks.entries()) {
    await pacer?.step()
    onProgress?.(i / program.tasks.length)
    const { report, needs, ...rest } = await simulateTask(task, program, shadow)
    assertFits(task, needs, memory)
    layers.push(report)
    figures.push(rest)
  }
  return { layers, figures }
}

/** @throws PlanError ('memory') */
function assertFits({ id }: Task, needs: number, memory: number | undefined): void {
  if (memory === undefined || needs <= memory) return
  throw new PlanError(
    'memory',
    `the plan needs more than ${gib(needs)}, which keys and ciphertexts take by the end of "${id}", the limit is ${gib(memory)}: lower the option batch or the option activation.degree, or raise the option memory`,
  )
}

async function simulateTask(
  task: Task,
  program: Program,
  shadow: ErrorShadow,
): Promise<TaskFigures & { readonly report: LayerReport; readonly needs: number }> {
  const { encoding, running, ciphertexts, errors } = await shadow.step(task)
  const report: LayerReport = {
    name: task.id,
    kind: task.kind,
    ...(task.tile === undefined ? {} : { tile: task.tile, of: withoutTile(task, program) }),
    level: task.level,
    outputLevel: program.values.get(task.writes[0]!)!.level,
    ciphertexts: ciphertexts.length,
    seconds: running.seconds,
    encodeSeconds: encoding.seconds,
    ...operationCounts(running.totals),
    precisionBits: worst(errors.map((error) => -Math.log2(error))),
    ...(isRefresh(task) ? { refresh: refreshReport(task, program) } : {}),
  }
  const { ciphertextBytes, keyBytes, scratchBytes } = running
  return {
    report,
    keys: running.keysUsed,
    workBytes: Math.round(ciphertextBytes.risen),
    needs: ciphertextBytes.peak + keyBytes + scratchBytes,
  }
}

function withoutTile(task: Task, { values }: Program): string {
  if (!isRefresh(task)) return task.layer
  return `refresh ${task.writes.map((id) => values.get(id)!.tensor).join(' and ')}`
}

/** @param more bytes that no handle shows */
function memoryOf(whole: EngineReport, lean: number, more: number): Plan['report']['memory'] {
  const { ciphertextBytes, plaintextBytes, keyBytes, scratchBytes } = whole
  const peakBytes = Math.round(whole.peakBytes + more)
  const leanPeakBytes = Math.round(ciphertextBytes.peak + keyBytes + scratchBytes + lean + more)
  return {
    peakBytes,
    leanPeakBytes: Math.min(peakBytes, leanPeakBytes),
    weightBytes: plaintextBytes.peak,
    scratchBytes: Math.round(scratchBytes + more),
  }
}

/** Most weights at once when each is dropped after its last use, and encoded while the task before its first one runs. */
function leanWeights({ weightBytes, deferredWeightBytes }: Simulation, program: Program, threads: number): number {
  const bytes: ReadonlyMap<WeightsId, number> = new Map([...weightBytes, ...deferredWeightBytes])
  const most = Math.max(0, ...deferredWeightBytes.values())
  // engines have a thread for each core, whatever the cost model is made for
  const made = madeBytes(most, Math.max(2, threads))
  const uses = weightUses(program)
  const at = program.tasks.map((_, i) => {
    let alive = 0
    for (const [id, { first, last }] of uses) if (first <= i + 1 && last >= i) alive += bytes.get(id)!
    return alive
  })
  return made + at.reduce((most, alive) => Math.max(most, alive), 0)
}

function refreshReport({ refresh, writes }: RefreshTask, { circuits, values }: Program) {
  const { circuit, range, shape } = refresh
  const { bootstrapping } = circuits[circuit]!
  const { slots, content } = bootstrapping.spec
  return {
    values: writes.map((id) => values.get(id)!.tensor),
    bootstraps: bootstrapCount(bootstrapping, shape),
    slots,
    content,
    merge: shape.merge,
    range,
  }
}

/** Union bound over all bootstraps; 0 without any, or when each one's own bound is 0. */
function failureProbability({ tasks, circuits }: Program): number {
  let sum = 0
  for (const task of tasks) {
    if (!isRefresh(task)) continue
    const { bootstrapping } = circuits[task.refresh.circuit]!
    sum += bootstrapCount(bootstrapping, task.refresh.shape) * bootstrapping.failureProbability
  }
  return Math.min(1, sum)
}

/** Levels from input to output on the longest path, bootstraps not counted. */
function depthOf({ tasks, input, output, values }: Program): number {
  const depth = new Map(input.values.map(({ tensor }) => [tensor, 0]))
  for (const task of tasks) {
    if (isRefresh(task)) continue
    const own = task.circuit.depth
    const before = task.reads.flat().map((id) => depth.get(values.get(id)!.tensor)!)
    for (const id of task.writes) depth.set(values.get(id)!.tensor, own + Math.max(...before))
  }
  return depth.get(output.tensor)!
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
