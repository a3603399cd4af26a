/**
 * ReLU on all slots of a ciphertext, through the TypeScript port: the cheapest polynomial found for an error of 2^-7 everywhere
 * and 2^-10 for |x| >= 0.03, and, to compare with, the cheapest composite for the same errors and one of degrees 7, 15, 15, 27.
 */
import { writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { type ActivationPolynomial, approximate, minimaxRelu, prepareActivation } from '@he-ml/activations'
import { createParameters, createPlanEngine, HeMlError, type Parameters } from '@he-ml/ckks-core'
import { createNativeEngine, kernels, loadEvaluationKeys } from '@he-ml/ckks-native'
import { createNativeClient } from '@he-ml/ckks-native/client'
import { define } from './benchmark.ts'
import { positive, positiveList } from './option-types.ts'
import { progress } from './progress.ts'
import { type ReluPrecision, reluInputs, reluPrecision } from './relu-inputs.ts'
import { plotReluErrors } from './relu-plot.ts'
import { surveyRelu } from './relu-survey.ts'
import type { Emit, RowParams } from './rows.ts'
import { median } from './statistics.ts'

interface Options {
  readonly logN: number
  readonly scaleBits: number
  readonly spare?: number
  readonly threads: readonly number[]
  readonly repetitions: number
  readonly only?: boolean
  readonly survey?: boolean
  readonly plot?: string
}

const NAME = 'relu'
const TARGET = { error: 2 ** -7, gap: 0.03, gapError: 2 ** -10 } as const
const STEEP_DEGREES = [7, 15, 15, 27] as const

export const relu = define<Options>({
  name: NAME,
  description: 'ReLU on all slots: the cheapest polynomial for 2^-7 everywhere and 2^-10 for |x| >= 0.03; composites',
  configure: (command) =>
    void command
      .option('--log-n <n>', 'log2 of the ring degree', positive, 16)
      .option('--scale-bits <n>', 'bits of the scale', positive, 45)
      .option('--spare <n>', 'levels that are left afterwards (default: none)', positive)
      .option('--threads <list>', 'thread counts', positiveList, [1, availableParallelism()])
      .option('--repetitions <n>', 'ciphertexts on each thread count', positive, 9)
      .option('--only', 'the best polynomial alone, no composites')
      .option('--survey', 'what many polynomials promise; nothing is encrypted')
      .option('--plot <file>', 'SVG of the errors of the polynomials; nothing is encrypted'),
  async run(options, emit) {
    if (options.survey) return surveyRelu(TARGET, emit)
    const started = performance.now()
    const best = minimaxRelu(TARGET).polynomial
    emit({
      name: NAME,
      params: describe(best),
      metric: 'search',
      value: (performance.now() - started) / 1000,
      unit: 's',
    })
    const polynomials: ActivationPolynomial[] = [best]
    if (!options.only) {
      polynomials.push(minimaxRelu({ ...TARGET, method: 'composite' }).polynomial)
      polynomials.push(approximate('relu', { range: [-1, 1], method: 'composite', degrees: STEEP_DEGREES }))
    }
    if (options.plot !== undefined) {
      const curves = polynomials.map((polynomial) => ({ label: labelOf(polynomial), polynomial }))
      return writeFile(options.plot, plotReluErrors(curves, TARGET))
    }
    for (const polynomial of polynomials) await measure(polynomial, options, emit)
  },
})

const labelOf = (polynomial: ActivationPolynomial): string => {
  const { kind, degrees } = describe(polynomial)
  return `${kind} ${degrees}, ${polynomial.depth} levels`
}

const describe = (polynomial: ActivationPolynomial): RowParams => ({
  kind: polynomial.kind,
  degrees: polynomial.kind === 'series' ? String(polynomial.degree) : polynomial.degrees.join('-'),
})

async function measure(polynomial: ActivationPolynomial, options: Options, emit: Emit): Promise<void> {
  const { logN, scaleBits, spare = 0 } = options
  const { apply, depth } = prepareActivation(polynomial)
  const parameters = createParameters({ logN, levels: depth + spare, scaleBits })
  const about = { logN, ...describe(polynomial) }
  const row = (metric: string, value: number, unit: string, more: RowParams = {}) =>
    emit({ name: NAME, params: { ...about, ...more }, metric, value, unit })
  const plan = createPlanEngine(parameters)
  const planned = apply(plan, plan.input())
  const { totals } = plan.report()
  row('levels', depth, 'levels')
  row('products', totals.mul ?? 0, 'products')
  row('relinearizations', (totals.relinearize ?? 0) + (totals.relinearizeRescale ?? 0), 'relinearizations')
  row('precision-predicted', plan.estimate(planned).precisionBits, 'bits', { scaleBits })
  const gap = polynomial.kind === 'composite' ? Math.min(TARGET.gap, polynomial.gap) : TARGET.gap
  for (const threads of options.threads) {
    const { seconds, cpuSeconds, precision } = await evaluate(polynomial, {
      parameters,
      threads,
      gap,
      count: options.repetitions,
    })
    const params = { scaleBits, limbs: parameters.qLimbs.length, threads, kernel: kernels().active }
    row('time', median(seconds), 's', params)
    row('time-best', Math.min(...seconds), 's', params)
    row('cpu-time', median(cpuSeconds), 's', params)
    row('precision-everywhere', precision.everywhere, 'bits', params)
    row('precision-outside-gap', precision.outsideGap, 'bits', { ...params, gap: Number(gap.toPrecision(3)) })
    row('precision-polynomial', precision.polynomial, 'bits', params)
    row('precision-polynomial-mean', precision.polynomialMean, 'bits', params)
  }
}

interface Setting {
  readonly parameters: Parameters
  readonly threads: number
  readonly gap: number
  readonly count: number
}

/** Every ciphertext has values of its own, every result is decrypted and compared, and the worst of all is kept. */
async function evaluate(polynomial: ActivationPolynomial, { parameters, threads, gap, count }: Setting) {
  const { apply } = prepareActivation(polynomial)
  await using client = createNativeClient(parameters)
  using key = await client.generateSecretKey()
  await using engine = createNativeEngine(parameters, { threads })
  const keys = client.generateEvaluationKeys(key, { relinearization: parameters.maxLevel, rotations: [] })
  const files = async function* () {
    for await (const { bytes } of keys) yield bytes
  }
  await loadEvaluationKeys(engine, files())
  const seconds: number[] = []
  const cpuSeconds: number[] = []
  let precision: ReluPrecision | undefined
  // the first one warms up: it is compared, not timed
  for (let i = 0; i <= count; i++) {
    const values = reluInputs(parameters.maxSlots, gap, i)
    using input = await engine.importCiphertext(await client.encrypt(key, [{ values }]))
    const started = performance.now()
    const cpuStarted = process.cpuUsage()
    using result = apply(engine, input)
    await result.ready()
    const { user, system } = process.cpuUsage(cpuStarted)
    if (i > 0) {
      seconds.push((performance.now() - started) / 1000)
      cpuSeconds.push((user + system) / 1e6)
    }
    const [slots] = await client.decrypt(key, await engine.exportCiphertext(result))
    precision = reluPrecision({ polynomial, gap, inputs: values, results: slots!.re }, precision)
    if (!(2 ** -precision.everywhere <= polynomial.certifiedError * 1.02))
      throw new HeMlError(
        'Benchmark',
        `ReLU decrypts to ${precision.everywhere.toFixed(2)} bits, certified are ${(-Math.log2(polynomial.certifiedError)).toFixed(2)}`,
      )
    progress(`relu ${describe(polynomial).degrees}, ${threads} threads: ${i} of ${count}`)
  }
  return { seconds, cpuSeconds, precision: precision! }
}
