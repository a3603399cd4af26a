/** Activation ranges from clear data: the server never decrypts to choose a scale. */
import {
  checkArgument,
  checkOptions,
  InvalidArgumentError,
  type OptionChecks,
  optionCheck,
  Pacer,
} from '@he-ml/ckks-core'
import type { FloatKernels } from '@he-ml/float-kernels'
import { equalizationOf, equalized, type Model, modelCheck, type Tensor } from '@he-ml/model'
import { assertIterable } from './assert-iterable.ts'
import { runsOnBatches } from './batches.ts'
import type { Calibration } from './calibration.ts'
import { modelDigest } from './model-digest.ts'
import { Observations } from './observations.ts'
import { observeBatches } from './observe-batches.ts'
import { observeSamples } from './observe-samples.ts'
import { openKernels } from './open-kernels.ts'

/** Options of {@link fit}. */
export interface FitOptions {
  /** Called with the number of inputs done, of both runs with `equalize`: after each batch, in double precision after each input. */
  readonly onProgress?: (done: number) => void
  /** Heeded between layers. */
  readonly signal?: AbortSignal
  /**
   * Also equalize the channels of networks of ReLUs (see `equalizationOf`): the inputs are run twice, and the calibration is that of the
   * equalized model. Worth it wherever channels have different ranges, as in most trained networks.
   */
  readonly equalize?: boolean
  /**
   * How values are computed; statistics of them are in double precision either way. Default 'single', on the float kernels.
   * Models over time steps are always computed in double precision, and so are those without a layer that runs on the kernels.
   */
  readonly precision?: 'single' | 'double'
  /**
   * What computes in single precision. Default: the compiled kernels on a thread for each core, or the plain ones where no compiled
   * ones are found; both give the same statistics up to the rounding of matrix products and convolutions.
   */
  readonly kernels?: FloatKernels<Float32Array>
}

const OPTIONS: OptionChecks<FitOptions> = {
  onProgress: optionCheck.callable,
  signal: optionCheck.signal,
  equalize: optionCheck.boolean,
  precision: optionCheck.oneOf('single', 'double'),
  kernels: optionCheck.object,
}

/**
 * Runs clear inputs through the model and records what each activation sees.
 *
 * @param inputs at least one tensor of the model's `inputShape` (frames with time first), normalised as at inference
 * @throws InvalidArgumentError without inputs, for wrong shapes, non-finite values (in single precision those beyond 3.4e38
 * are), or options that there are not; CancelledError through the signal
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { createTensor, Model } from '@he-ml/model'
 * import { activation } from '@he-ml/nn-layers'
 * import { fit } from '@he-ml/pipeline'
 *
 * const nodes = [{ layer: activation({ name: 'act', function: 'silu' }), inputs: ['x'] }]
 * const model = new Model({ name: 'tiny', input: { name: 'x', shape: [2] }, nodes })
 * const samples = [-3, 0, 5].map((x) => createTensor([2], Float64Array.of(x, 2 * x)))
 * const calibration = await fit(model, samples)
 * assert.equal(calibration.samples, 3)
 * assert.deepEqual(calibration.inputRange, { min: -6, max: 10 })
 * ```
 */
export async function fit(model: Model, inputs: Iterable<Tensor>, options: FitOptions = {}): Promise<Calibration> {
  checkOptions('fit', options, OPTIONS)
  checkArgument('fit', 'model', model, modelCheck.model)
  assertIterable('fit', inputs)
  if (options.equalize && Object.is(inputs[Symbol.iterator](), inputs))
    throw new InvalidArgumentError(
      'fit: to equalize, inputs are read twice: give a list, or an object that begins again',
    )
  const own = { modelDigest: modelDigest(model) }
  const seen = { ...(await observe(model, inputs, options)), ...own }
  if (!options.equalize) return seen
  const equalization = equalizationOf(model, (value) => largestOf(seen, value))
  if (Object.keys(equalization).length === 0) return seen
  const { onProgress } = options
  const onward = onProgress && { onProgress: (done: number) => onProgress(seen.samples + done) }
  return { ...(await observe(equalized(model, equalization), inputs, { ...options, ...onward })), ...own, equalization }
}

/** Of each channel. */
function largestOf({ values }: Pick<Calibration, 'values'>, value: string): readonly number[] | undefined {
  const channels = values?.[value]?.channels
  return channels?.min.map((min, c) => Math.max(Math.abs(min), Math.abs(channels.max[c]!)))
}

async function observe(
  model: Model,
  inputs: Iterable<Tensor>,
  options: FitOptions,
): Promise<Omit<Calibration, 'modelDigest'>> {
  const { signal, onProgress, precision = 'single' } = options
  const pacer = new Pacer('fit', signal ? { signal } : {})
  const seen = new Observations(model)
  const done = () => onProgress?.(seen.samples)
  const overTime = model.states.length > 0 || model.input.time === 'perStep'
  const onKernels = precision === 'single' && !overTime && model.nodes.some(({ layer }) => runsOnBatches(layer))
  if (!onKernels) await observeSamples(model, inputs, seen, { pacer, done })
  else if (options.kernels) await observeBatches(inputs, { model, seen, kernels: options.kernels, pacer, done })
  else {
    await using kernels = await openKernels()
    await observeBatches(inputs, { model, seen, kernels, pacer, done })
  }
  return seen.calibration()
}
