/**
 * What a plan will do to accuracy, found in the clear before any key exists: the samples through the network as it is, and through the
 * planned one with its polynomials. What encryption adds beside is noise, which the plan tells, and which moves a decision only where two
 * outputs are nearly the same.
 */

import {
  checkArgument,
  checkOptions,
  InvalidArgumentError,
  type OptionChecks,
  optionCheck,
  Pacer,
} from '@he-ml/ckks-core'
import type { FloatKernels } from '@he-ml/float-kernels'
import { isCalibrated, type Model, modelCheck, sizeOf, type Tensor, unroll } from '@he-ml/model'
import type { BoundPlan } from '../plan/bound-plan.ts'
import { planCheck } from '../plan/plan-check.ts'
import { assertIterable } from '../ready/assert-iterable.ts'
import { modelDigest } from '../ready/model-digest.ts'
import { answersAlike, largest } from './answers.ts'
import { walk } from './approximate-walk.ts'
import { LayerRecord, type SimulatedLayer } from './layer-record.ts'
import { assertFinite, checkSample, inBatches, onKernels, runsInSingle, samplesAtOnce } from './samples.ts'

/** Options of {@link simulate}. */
export interface SimulateOptions {
  /** The right answers, one a sample: which output should be the largest. With them accuracies are told. */
  readonly labels?: readonly number[]
  /** Called with the number of samples done, after each batch. */
  readonly onProgress?: (done: number) => void
  /** Heeded between layers. */
  readonly signal?: AbortSignal
}

/** What a plan does to samples; see {@link simulate}. */
export interface SimulationReport {
  /** How many were run. */
  readonly samples: number
  /**
   * Share of the samples whose largest output is the exact network's, or one of them where several are the largest. Absent for a network with
   * one output.
   */
  readonly agreement?: number
  /**
   * Index of the largest output of each sample; the first one where several are as large, so that samples may differ here that answer
   * alike. Absent for a network with one output.
   */
  readonly answers?: {
    /** By the network itself. */
    readonly exact: readonly number[]
    /** As planned. */
    readonly planned: readonly number[]
  }
  /** Shares of the samples that are answered rightly. Absent without labels. */
  readonly accuracy?: {
    /** By the network itself, 0 to 1. */
    readonly exact: number
    /** As planned, 0 to 1. */
    readonly planned: number
  }
  /** Indices of the samples that the planned network answers otherwise than the exact one. */
  readonly differing: readonly number[]
  /**
   * Indices of the samples whose two largest outputs, as planned, lie within six standard deviations of the noise that encryption adds:
   * the encrypted answer may be the other one.
   */
  readonly undecided: readonly number[]
  /**
   * Of each output, in bits of its range over the samples: log2((max - min) / rms error). Of one that never changes, as with one sample, in bits of
   * the largest absolute value of any output.
   */
  readonly outputs: {
    /** What polynomials cost. Infinity where they are exact, -Infinity where they leave all bounds. */
    readonly polynomialBits: readonly number[]
    /** What encryption costs, by the plan. */
    readonly noiseBits: readonly number[]
  }
  /**
   * Layers that were fitted, in their order. Exact neurons that decide all time steps at once, or the last one, are not among them: on their grid they
   * compute what the network does.
   */
  readonly layers: readonly SimulatedLayer[]
}

/** Standard deviations of the difference of two outputs: exceeded once in 10^9. */
const SURE = 6

/**
 * Runs clear samples through a model and through its plan.
 *
 * @param model the one that the plan was made for
 * @param inputs at least one tensor of the model's `inputShape`, other ones than `fit` saw
 * @throws InvalidArgumentError without samples, for another model, wrong shapes, values that are not finite, labels that do not fit, or
 *   options that there are not; CancelledError through the signal
 * @example
 * ```ts
 * import { createTensor, Model } from '@he-ml/model'
 * import { activation } from '@he-ml/nn-layers'
 * import { compileAndBind, fit, simulate } from '@he-ml/pipeline'
 *
 * const nodes = [{ layer: activation({ name: 'act', function: 'silu' }), inputs: ['x'] }]
 * const model = new Model({ name: 'tiny', input: { name: 'x', shape: [2] }, nodes })
 * const samples = [-3, 0, 5].map((x) => createTensor([2], Float64Array.of(x, 2 * x)))
 * const bound = await compileAndBind(model, { calibration: await fit(model, samples), activation: { degree: 15 } })
 * const others = [-2, 1, 4].map((x) => createTensor([2], Float64Array.of(x, 2 * x)))
 * const { agreement, outputs } = await simulate(bound, model, others)
 * console.log(agreement, outputs.polynomialBits, outputs.noiseBits)
 * ```
 */
export async function simulate(
  bound: BoundPlan,
  model: Model,
  inputs: Iterable<Tensor>,
  options: SimulateOptions = {},
): Promise<SimulationReport> {
  checkOptions('simulate', options, OPTIONS)
  checkArgument('simulate', 'bound', bound, planCheck.bound)
  checkArgument('simulate', 'model', model, modelCheck.model)
  assertIterable('simulate', inputs)
  const { plan } = bound
  if (modelDigest(model) !== plan.model.digest)
    throw new InvalidArgumentError(`simulate: the plan was made for another model than "${model.name}"`)
  const exact = unroll(model)
  const single = runsInSingle(model, [exact, bound.model])
  return onKernels(single, (kernels) => run(bound, exact, inputs, { ...options, ...(kernels ? { kernels } : {}) }))
}

const OPTIONS: OptionChecks<SimulateOptions> = {
  labels: optionCheck.list('a list of output indices'),
  onProgress: optionCheck.callable,
  signal: optionCheck.signal,
}

type RunOptions = SimulateOptions & { readonly kernels?: FloatKernels<Float32Array> }

async function run(
  { plan, model: planned }: BoundPlan,
  exact: Model,
  inputs: Iterable<Tensor>,
  options: RunOptions,
): Promise<SimulationReport> {
  const { labels, onProgress, signal, kernels } = options
  const pacer = new Pacer('simulate', signal ? { signal } : {})
  const most = samplesAtOnce([exact, planned])
  const records = new Map(
    planned.nodes.flatMap(({ name, layer }) => (isCalibrated(layer) ? [[name, new LayerRecord(name, layer)]] : [])),
  )
  const ways = { pacer, ...(kernels ? { kernels } : {}) }
  checkLabels(labels, sizeOf(exact.shapes.get(exact.output)!))
  const pairs: Pair[] = []
  for (const batch of inBatches(inputs, most)) {
    for (const [n, sample] of batch.entries()) checkSample('simulate', exact, sample, pairs.length + n)
    const wanted = await walk(exact, batch, { ...ways, approximate: false })
    const got = await walk(planned, batch, {
      ...ways,
      approximate: true,
      observe: ({ name }, given, outputs) => records.get(name)?.add(given, outputs[0]!),
    })
    for (const [n, { data }] of wanted.entries()) {
      assertFinite(`simulate: the network's result of sample ${pairs.length}`, data)
      pairs.push({ wanted: data, got: got[n]!.data })
    }
    onProgress?.(pairs.length)
    if (labels && pairs.length > labels.length) throw labelsMissing(labels.length, pairs.length)
  }
  if (pairs.length === 0) throw new InvalidArgumentError('simulate: at least one sample is needed')
  if (labels && labels.length !== pairs.length) throw labelsMissing(labels.length, pairs.length)
  const layers = [...records.values()].map((record) => record.result)
  return { ...compared(pairs, labels, 2 ** -plan.report.precisionBits), layers }
}

interface Pair {
  readonly wanted: Float64Array
  readonly got: Float64Array
}

function compared(
  pairs: readonly Pair[],
  labels: readonly number[] | undefined,
  noise: number,
): Omit<SimulationReport, 'layers'> {
  const count = pairs[0]!.wanted.length
  const decided = count > 1
  const differing = pairs.flatMap(({ wanted, got }, n) => (answersAlike(wanted, got) ? [] : [n]))
  const undecided = pairs.flatMap(({ got }, n) => (decided && lead(got) < SURE * Math.SQRT2 * noise ? [n] : []))
  const right = (pick: (pair: Pair) => Float64Array, of: readonly number[]) =>
    pairs.filter((pair, n) => largest(pick(pair)) === of[n]).length / pairs.length
  return {
    samples: pairs.length,
    ...(decided
      ? {
          agreement: 1 - differing.length / pairs.length,
          answers: { exact: pairs.map(({ wanted }) => largest(wanted)), planned: pairs.map(({ got }) => largest(got)) },
        }
      : {}),
    ...(decided && labels
      ? { accuracy: { exact: right((p) => p.wanted, labels), planned: right((p) => p.got, labels) } }
      : {}),
    differing,
    undecided,
    outputs: bitsOf(pairs, noise),
  }
}

const labelsMissing = (labels: number, samples: number): InvalidArgumentError =>
  new InvalidArgumentError(`simulate: ${labels} labels for ${samples} samples: one each is needed`)

function checkLabels(labels: readonly number[] | undefined, outputs: number): void {
  const wrong = labels?.find((label) => !Number.isInteger(label) || label < 0 || label >= outputs)
  if (wrong !== undefined)
    throw new InvalidArgumentError(`simulate: a label is ${wrong}, the network has outputs 0 to ${outputs - 1}`)
}

function bitsOf(pairs: readonly Pair[], noise: number): SimulationReport['outputs'] {
  const count = pairs[0]!.wanted.length
  const ranges = Array.from({ length: count }, (_, k) => {
    const values = pairs.map(({ wanted }) => wanted[k]!)
    return values.reduce((a, b) => Math.max(a, b)) - values.reduce((a, b) => Math.min(a, b))
  })
  const size = pairs.reduce((most, { wanted }) => wanted.reduce((m, v) => Math.max(m, Math.abs(v)), most), 0)
  const rms = (k: number) =>
    Math.sqrt(pairs.reduce((sum, { wanted, got }) => sum + (got[k]! - wanted[k]!) ** 2, 0) / pairs.length)
  return {
    polynomialBits: ranges.map((range, k) => bits(range || size, rms(k))),
    noiseBits: ranges.map((range) => bits(range || size, noise)),
  }
}

/** Of what is 0 throughout nothing can be told but that there is no error. */
function bits(size: number, error: number): number {
  if (error === 0) return Infinity
  if (!Number.isFinite(error)) return -Infinity
  return size === 0 ? 0 : Math.log2(size / error)
}

/** The largest value less the second. */
function lead(values: Float64Array): number {
  const sorted = values.toSorted((a, b) => b - a)
  return sorted[0]! - sorted[1]!
}
