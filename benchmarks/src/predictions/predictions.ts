/**
 * What plans promise, and what happens: seconds by the machine's own cost model, and bits. A shared machine is now faster, now
 * slower, so its cost model is measured before and after the runs, and the mean of both predictions is compared.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { CostModel, KeyRequest } from '@he-ml/ckks-core'
import { HeMlError } from '@he-ml/ckks-core'
import { createNativeEngine, kernels, loadEvaluationKeys } from '@he-ml/ckks-native'
import { createNativeClient, machineCostModel, measureMachine } from '@he-ml/ckks-native/client'
import type { Model } from '@he-ml/model'
import { pack, unpack } from '@he-ml/packing'
import { type BoundPlan, type CompileOptions, compileAndBind, fit, Runner } from '@he-ml/pipeline'
import { define } from '../benchmark.ts'
import { approximateForward } from '../networks/approximate-forward.ts'
import { positive } from '../option-types.ts'
import { progress } from '../progress.ts'
import type { RowParams } from '../rows.ts'
import { median } from '../statistics.ts'
import { leveled, residual, seededTensor, squares } from './networks.ts'

interface Options {
  readonly repetitions: number
  readonly set: string
}

const NAME = 'predictions'
/** A result this much worse than promised is a wrong one. */
const MOST_BITS_LOST = 8

export const predictions = define<Options>({
  name: NAME,
  description: 'plans against runs: seconds by the measured machine, bits, how long the event loop waits',
  configure: (command) =>
    void command
      .option('--repetitions <n>', 'runs of each network', positive, 5)
      .option('--set <name>', 'bootstrapping set of the deep networks', 'N16-B10'),
  async run({ repetitions, set }, emit) {
    const row = (params: RowParams, metric: string, value: number, unit: string) =>
      emit({ name: NAME, params: { kernel: kernels().active, ...params }, metric, value, unit })
    const started = performance.now()
    await measureMachine()
    row({}, 'calibration', (performance.now() - started) / 1000, 's')
    const cases: readonly (readonly [Model, CompileOptions, 15 | 16])[] = [
      [leveled(), { scaleBits: 36 }, 15],
      [squares(18), { bootstrapping: { set } }, 16],
      [residual(3), { bootstrapping: { set } }, 16],
    ]
    for (const [model, options, logN] of cases) {
      const { bound, predictedSeconds, runs } = await compare(model, options, logN, repetitions)
      const { report } = bound.plan
      const bootstraps = report.layers.reduce((sum, l) => sum + (l.refresh?.bootstraps ?? 0), 0)
      const params = { model: model.name, logN: report.logN, depth: report.depth, bootstraps }
      const seconds = median(runs.map((r) => r.seconds))
      row(params, 'seconds-predicted', predictedSeconds, 's')
      row(params, 'seconds-measured', seconds, 's')
      row(params, 'seconds-ratio', predictedSeconds / seconds, 'x')
      row(params, 'bits-predicted', report.precisionBits, 'bits')
      row(params, 'bits-measured', median(runs.map((r) => r.bits)), 'bits')
      row(params, 'event-loop-delay', Math.max(...runs.map((r) => r.delay)), 'ms')
    }
  },
})

interface Run {
  readonly seconds: number
  readonly bits: number
  /** Longest pause of the event loop, milliseconds. */
  readonly delay: number
}

async function compare(model: Model, options: CompileOptions, logN: 15 | 16, repetitions: number) {
  const images = (count: number, seed: number) =>
    Array.from({ length: count }, (_, i) => seededTensor(model.input.shape, seed + i))
  const calibration = await fit(model, images(30, 100))
  const plan = async (costModel: CostModel): Promise<BoundPlan> =>
    compileAndBind(model, {
      calibration,
      activation: { degree: 15, margin: 1.3 },
      // the outputs of many squares hardly vary, so relative to their range no bits are left
      precisionBits: Number.NEGATIVE_INFINITY,
      ...options,
      costModel,
    })
  const machine = async () => machineCostModel(await measureMachine({ logN }))
  const bound = await plan(await machine())
  progress(`${model.name}: planned`)
  const runs = await runMany(bound, images(repetitions + 1, 7))
  const after = await plan(await machine())
  return { bound, runs, predictedSeconds: (bound.plan.report.seconds + after.plan.report.seconds) / 2 }
}

/** The first run warms up. @throws HeMlError when a result is wrong */
async function runMany(bound: BoundPlan, images: readonly ReturnType<typeof seededTensor>[]): Promise<Run[]> {
  const { plan, parameters, program, model } = bound
  await using client = createNativeClient(parameters)
  await using engine = createNativeEngine(parameters)
  using secret = await client.generateSecretKey()
  const keys = client.generateEvaluationKeys(secret, plan.keyRequest as KeyRequest)
  const files = async function* () {
    for await (const { bytes } of keys) yield bytes
  }
  await loadEvaluationKeys(engine, files())
  await using runner = new Runner(bound, engine)
  await runner.prepare()
  const runs: Run[] = []
  for (const [i, image] of images.entries()) {
    const inputs = []
    for (const values of pack(image, program.input.layout))
      inputs.push(
        await engine.importCiphertext(await client.encrypt(secret, [{ values }], { level: plan.input.level })),
      )
    const delay = monitorEventLoopDelay({ resolution: 5 })
    delay.enable()
    const started = performance.now()
    const output = await runner.run(inputs)
    const seconds = (performance.now() - started) / 1000
    delay.disable()
    const vectors: Float64Array[] = []
    for (const c of output.ciphertexts) {
      const [slots] = await client.decrypt(secret, await engine.exportCiphertext(c))
      vectors.push(slots!.re)
    }
    const [got] = unpack(vectors, output.layout, 1)
    const bits = rmsBits(got!.data, approximateForward(model, image).data)
    if (bits < plan.report.precisionBits - MOST_BITS_LOST)
      throw new HeMlError('Benchmark', `${model.name}: ${bits.toFixed(1)} bits, promised ${plan.report.precisionBits}`)
    output.dispose()
    for (const input of inputs) input.dispose()
    if (i > 0) runs.push({ seconds, bits, delay: delay.max / 1e6 })
    progress(`${model.name}: run ${i} of ${images.length - 1}`)
  }
  return runs
}

const rmsBits = (got: Float64Array, want: Float64Array): number =>
  -0.5 * Math.log2(got.reduce((sum, v, i) => sum + (v - want[i]!) ** 2, 2 ** -240) / got.length)
