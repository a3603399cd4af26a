/**
 * Functional bootstrapping: time per value for one function and for several at once, how sure the decisions are (planned, and as the
 * angle's errors measure it), and, over as many ciphertexts as wanted, how many decisions were wrong. With an OpenFHE installed beside
 * the repository its functional bootstrapping takes turns with ours.
 */
import { availableParallelism } from 'node:os'
import {
  type Ciphertext,
  createFunctionalBootstrapping,
  createPlanEngine,
  FUNCTIONAL_SETS,
  type FunctionalBootstrapping,
  functionalSet,
  HeMlError,
  type PeriodicFunction,
  type PreparedFunctionalBootstrapping,
} from '@he-ml/ckks-core'
import type { SecretKey } from '@he-ml/ckks-core/client'
import { createNativeEngine, kernels, loadEvaluationKeys, type NativeEngine } from '@he-ml/ckks-native'
import { createNativeClient, type NativeClient } from '@he-ml/ckks-native/client'
import { define } from '../benchmark.ts'
import { randomSource } from '../bootstrapping/random-slots.ts'
import { type Drivers, withDrivers } from '../openfhe/drivers.ts'
import { emitFunctional, FunctionalPeer, type FunctionalTask, peerFunctionalOptions } from '../openfhe/functional.ts'
import { choice, positive, positiveList } from '../option-types.ts'
import { progress } from '../progress.ts'
import type { Emit, RowParams } from '../rows.ts'
import { interleave, median } from '../statistics.ts'
import { ANGLE, angleDeviation, gridStep, gridValues, wrongDecisions } from './grid-steps.ts'

interface Options {
  readonly set: string
  readonly points?: number
  readonly content: 'complex' | 'real'
  readonly functions: readonly number[]
  readonly threads: readonly number[]
  readonly count: number
  readonly openfhe?: string
  readonly peerFunctional?: string
}

const NAME = 'step'
const SETS = Object.keys(FUNCTIONAL_SETS)
const SEED = 2026

export const functionalBootstrap = define<Options>({
  name: 'functional-bootstrap',
  description: 'the step of a neuron during a refresh: time per value, margin, wrong decisions over many',
  configure: (command) =>
    void command
      .option('--set <name>', `parameters: ${SETS.join(', ')}`, choice(...SETS), SETS[0])
      .option('--points <n>', 'points of the grid (default: those of the set)', positive)
      .option('--content <kind>', 'complex or real values', choice('complex', 'real'), 'complex')
      .option('--functions <list>', 'functions at once', positiveList, [1, 4])
      .option('--threads <list>', 'thread counts', positiveList, [1, availableParallelism()])
      .option('--count <n>', 'ciphertexts of fresh random values for each row', positive, 5)
      .option('--openfhe <path>', 'where OpenFHE is installed (see benchmarks/peers/README.md); without it only ours')
      .option('--peer-functional <options>', "options of OpenFHE's driver (default: the fastest found)"),
  async run(options, emit) {
    if (options.openfhe === undefined) return measure(options, emit)
    await withDrivers(options.openfhe, (drivers) => measure(options, emit, drivers))
  },
})

async function measure(options: Options, emit: Emit, drivers?: Drivers): Promise<void> {
  const { set, points = Number(set.split('-P')[1]), content, functions, threads, count } = options
  const { parameters, spec } = functionalSet(set, { content })
  const circuit = createFunctionalBootstrapping(parameters, spec)
  const values = (content === 'complex' ? 2 : 1) * spec.slots
  const levelsLeft = circuit.usableLevels
  const common = {
    set,
    logN: parameters.logN,
    gridValues: points,
    slots: spec.slots,
    content,
    kernel: kernels().active,
  }
  for (const threadCount of threads) {
    await using run = await EncryptedSteps.start(circuit, points, Math.max(...functions), threadCount)
    for (const number of functions) {
      const params: RowParams = { ...common, functions: number, threads: threadCount }
      const row = (metric: string, value: number, unit: string) => emit({ name: NAME, params, metric, value, unit })
      await using peer = await startPeer(options, drivers, {
        points,
        functions: number,
        threads: threadCount,
        levelsLeft,
      })
      let wrong = 0
      const cpu: number[] = []
      await run.evaluate(number)
      const ours = async () => {
        const result = await run.evaluate(number)
        wrong += result.wrong
        cpu.push(result.cpuSeconds)
        progress(`${set}, ${number} functions: ${result.seconds.toFixed(2)} s, ${wrong} wrong`)
        return 1e3 * result.seconds
      }
      const theirs = async () => {
        const time = await peer!.go()
        progress(`OpenFHE, ${number} functions: ${(time / 1e3).toFixed(2)} s`)
        return time
      }
      const tasks: Record<string, () => Promise<number>> = peer === undefined ? { ours } : { ours, theirs }
      const samples = await interleave(tasks, { warmUp: 0, repetitions: count })
      const seconds = median(samples.ours!) / 1e3
      const perValue = (seconds / values) * 1e6
      row('time', seconds, 's')
      row('time-per-value', perValue, 'us')
      row('cpu-time', median(cpu), 's')
      row('values', count * values, 'values')
      row('wrong', wrong, 'decisions')
      if (peer === undefined) continue
      emitFunctional(peer.ready, peer.turns, threadCount, emit)
      emit({ name: NAME, params, metric: 'speedup', value: peer.perValue / perValue, unit: 'x', peer: peer.ready.peer })
    }
    const params: RowParams = { ...common, threads: threadCount }
    const planned = await plannedMargin(circuit, points)
    emit({ name: NAME, params, metric: 'margin-planned', value: planned, unit: 'sigmas' })
    emit({ name: NAME, params, metric: 'margin', value: await run.margin(), unit: 'sigmas' })
    emit({ name: NAME, params, metric: 'levels-left', value: levelsLeft, unit: 'levels' })
    emit({ name: NAME, params, metric: 'key-bytes', value: run.engine.memory().keys / 1e9, unit: 'GB' })
    emit({ name: NAME, params, metric: 'log-qp', value: parameters.logQP, unit: 'bits' })
  }
}

async function startPeer(
  { peerFunctional }: Options,
  drivers: Drivers | undefined,
  task: FunctionalTask,
): Promise<FunctionalPeer | undefined> {
  if (drivers === undefined) return undefined
  progress('OpenFHE makes its keys')
  return FunctionalPeer.start(drivers.functional, peerFunctional ?? peerFunctionalOptions(task.points), task)
}

async function plannedMargin(circuit: FunctionalBootstrapping, points: number): Promise<number> {
  const plan = createPlanEngine(circuit.parameters)
  const prepared = await circuit.prepare(plan, { periods: [points] })
  const input = plan.input({ level: circuit.inputLevel, slots: circuit.spec.slots, magnitude: points / 4 })
  let least = Number.POSITIVE_INFINITY
  prepared.evaluate(plan, input, [gridStep(points)], {
    period: points,
    observe: ({ margin }) => {
      least = Math.min(least, margin!)
    },
  })
  return least
}

interface Measured {
  readonly seconds: number
  /** Of all threads together. */
  readonly cpuSeconds: number
}

/** Client and server in one process: what is timed is the server's circuit. */
class EncryptedSteps implements AsyncDisposable {
  readonly #random = randomSource(SEED)

  private constructor(
    readonly circuit: FunctionalBootstrapping,
    readonly points: number,
    readonly client: NativeClient,
    readonly key: SecretKey,
    readonly engine: NativeEngine,
    readonly prepared: PreparedFunctionalBootstrapping,
  ) {}

  static async start(circuit: FunctionalBootstrapping, points: number, functions: number, threads: number) {
    const { parameters } = circuit
    const plan = createPlanEngine(parameters)
    const planned = await circuit.prepare(plan, { periods: [points] })
    const steps = Array.from({ length: functions }, () => gridStep(points))
    planned.evaluate(plan, plan.input({ level: circuit.inputLevel }), steps, { period: points })
    const client = createNativeClient(parameters, { threads })
    const engine = createNativeEngine(parameters, { threads })
    const key = await client.generateSecretKey()
    const keys = client.generateEvaluationKeys(key, plan.report().keyRequest)
    await loadEvaluationKeys(
      engine,
      (async function* () {
        for await (const { bytes } of keys) yield bytes
      })(),
    )
    const prepared = await circuit.prepare(engine, { periods: [points] })
    await engine.drain()
    return new EncryptedSteps(circuit, points, client, key, engine, prepared)
  }

  /** Steps of one ciphertext of random points, each with a threshold of its own. */
  async evaluate(number: number): Promise<Measured & { readonly wrong: number }> {
    const steps = Array.from({ length: number }, (_, i) => gridStep(this.points, 2 * (i % 4) + 2 - this.points / 4))
    const { values, read, ...measured } = await this.#run(steps)
    return { ...measured, wrong: steps.reduce((sum, step, i) => sum + wrongDecisions(step, values, read[i]!), 0) }
  }

  /** Half a step over the standard deviation of the angle's errors, in one ciphertext. */
  async margin(): Promise<number> {
    const { values, read } = await this.#run(ANGLE)
    return 0.5 / angleDeviation(this.points, values.re, read[0]!.re, read[1]!.re)
  }

  async #run(functions: readonly PeriodicFunction[]) {
    const { circuit, points, client, key, engine, prepared } = this
    const { slots, content } = circuit.spec
    const values = gridValues(points, slots, content, this.#random)
    const file = await client.encrypt(key, [{ values }], { level: circuit.inputLevel })
    using input = await engine.importCiphertext(file)
    await input.ready()
    const started = performance.now()
    const before = process.cpuUsage()
    const outputs = prepared.evaluate(engine, input, functions, { period: points })
    for (const output of outputs) await output.ready()
    const { user, system } = process.cpuUsage(before)
    const seconds = (performance.now() - started) / 1000
    const read = []
    for (const output of outputs) read.push(await this.#read(output))
    return { values, read, seconds, cpuSeconds: (user + system) / 1e6 }
  }

  async #read(output: Ciphertext) {
    using result = output
    const [slots] = await this.client.decrypt(this.key, await this.engine.exportCiphertext(result))
    if (!slots) throw new HeMlError('Benchmark', 'the result decrypts to nothing')
    return slots
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.prepared.dispose()
    this.key.dispose()
    await this.engine.dispose()
    await this.client.dispose()
  }
}
