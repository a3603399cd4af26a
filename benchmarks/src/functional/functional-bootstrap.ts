/**
 * Functional bootstrapping: time per value for one function and for several at once, how sure the decisions are (planned, and as the
 * angle's errors measure it), and, over as many ciphertexts as wanted, how many decisions were wrong.
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
import { choice, positive, positiveList } from '../option-types.ts'
import { progress } from '../progress.ts'
import type { RowParams } from '../rows.ts'
import { median } from '../statistics.ts'
import { ANGLE, angleDeviation, gridStep, gridValues, wrongDecisions } from './grid-steps.ts'

interface Options {
  readonly set: string
  readonly points?: number
  readonly content: 'complex' | 'real'
  readonly functions: readonly number[]
  readonly threads: readonly number[]
  readonly count: number
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
      .option('--count <n>', 'ciphertexts of fresh random values for each row', positive, 5),
  async run({ set, points = Number(set.split('-P')[1]), content, functions, threads, count }, emit) {
    const { parameters, spec } = functionalSet(set, { content })
    const circuit = createFunctionalBootstrapping(parameters, spec)
    const values = (content === 'complex' ? 2 : 1) * spec.slots
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
        const seconds: number[] = []
        let wrong = 0
        await run.evaluate(number)
        for (let i = 0; i < count; i++) {
          const result = await run.evaluate(number)
          seconds.push(result.seconds)
          wrong += result.wrong
          progress(`${set}, ${number} functions, ${i + 1} of ${count}: ${result.seconds.toFixed(2)} s, ${wrong} wrong`)
        }
        row('time', median(seconds), 's')
        row('time-per-value', (median(seconds) / values) * 1e6, 'us')
        row('values', count * values, 'values')
        row('wrong', wrong, 'decisions')
      }
      const params: RowParams = { ...common, threads: threadCount }
      const planned = await plannedMargin(circuit, points)
      emit({ name: NAME, params, metric: 'margin-planned', value: planned, unit: 'sigmas' })
      emit({ name: NAME, params, metric: 'margin', value: await run.margin(), unit: 'sigmas' })
      emit({ name: NAME, params, metric: 'key-bytes', value: run.engine.memory().keys / 1e9, unit: 'GB' })
      emit({ name: NAME, params, metric: 'log-qp', value: parameters.logQP, unit: 'bits' })
    }
  },
})

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
  async evaluate(number: number): Promise<{ readonly seconds: number; readonly wrong: number }> {
    const steps = Array.from({ length: number }, (_, i) => gridStep(this.points, 2 * (i % 4) + 2 - this.points / 4))
    const { values, read, seconds } = await this.#run(steps)
    return { seconds, wrong: steps.reduce((sum, step, i) => sum + wrongDecisions(step, values, read[i]!), 0) }
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
    const outputs = prepared.evaluate(engine, input, functions, { period: points })
    for (const output of outputs) await output.ready()
    const seconds = (performance.now() - started) / 1000
    const read = []
    for (const output of outputs) read.push(await this.#read(output))
    return { values, read, seconds }
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
