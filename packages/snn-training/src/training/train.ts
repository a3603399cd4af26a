/**
 * The training loop. A run is a function of network, data, recipe and kernels: the same four give the same weights, bit for
 * bit, whether it ran through or was stopped and resumed any number of times.
 */
import { CancelledError, InvalidArgumentError } from '@he-ml/ckks-core'
import type { Augmentation } from '../augmentation/augmentation.ts'
import { TrainingDivergedError } from '../errors.ts'
import type { NamedValues } from '../layers/layer.ts'
import { createLoss, type Loss } from '../losses/loss.ts'
import { meanOverTime, type Network } from '../network/network.ts'
import { singleValued } from '../network/single-values.ts'
import { createOptimizer } from '../optimizers/create-optimizer.ts'
import { cosineRate } from '../optimizers/schedule.ts'
import { deriveSeed, permutation, RandomStream } from '../random/random-stream.ts'
import { type EpochResult, encodeCheckpoint, type Position, type RunState, restoreCheckpoint } from './checkpoint.ts'
import { BatchCollector, type LabelledData } from './data.ts'
import { countCorrect, evaluate } from './evaluate.ts'
import { checkRecipe, type TrainingRecipe, type TrainingRecipeInput } from './recipe.ts'

/** Where a run stands, after every step and every epoch. */
export interface TrainingProgress {
  /** The running epoch, from 0. */
  readonly epoch: number
  /** Epochs of the recipe. */
  readonly epochs: number
  /** Steps done in this epoch, of `steps`. */
  readonly step: number
  /** Steps of an epoch. */
  readonly steps: number
  /** Means over the samples of this epoch so far. */
  readonly loss: number
  /** Share of the samples of this epoch so far that were answered rightly, 0 to 1. */
  readonly accuracy: number
  /** Rate of the step just done. */
  readonly learningRate: number
  /** Estimate from this process's own speed so far, for all epochs. */
  readonly secondsLeft: number
  /** After the last step of an epoch. */
  readonly finished?: EpochResult
}

/** Options of {@link train}. */
export interface TrainOptions {
  /** What is learned from. */
  readonly data: LabelledData
  /** What the network is judged by after every epoch; needed for a patience. */
  readonly validation?: LabelledData
  /** How it is trained. */
  readonly recipe: TrainingRecipeInput
  /** Changes samples at random before they are seen; default: as they are. */
  readonly augmentation?: Augmentation
  /** Called every `everySteps` steps (default: only at the ends of epochs), at the end of every epoch, and when cancelled. */
  readonly checkpoint?: {
    /** Steps between two checkpoints, counted in each epoch. */
    readonly everySteps?: number
    /** Keeps a checkpoint in place of the one before; training waits for it. */
    write(bytes: Uint8Array): Promise<void>
  }
  /** A checkpoint of the same run, to go on from. */
  readonly resume?: Uint8Array
  /** Called after every step and every epoch. */
  readonly onProgress?: (progress: TrainingProgress) => void
  /** Stops between two steps with CancelledError, a checkpoint being written first. */
  readonly signal?: AbortSignal
}

/** What a training came to. */
export interface TrainingResult {
  /** One entry per epoch, those before a resumption too. */
  readonly history: readonly EpochResult[]
  /** The epoch whose weights the network now has, when a patience was given; else the last. */
  readonly epoch: number
  /** Whether the patience ended it before all epochs. */
  readonly stoppedEarly: boolean
}

/**
 * Trains a network in place. With a `patience` and validation data the weights of the best epoch are put back at the end.
 *
 * @throws InvalidArgumentError for data, a recipe or a checkpoint that do not fit
 * @throws FormatError for a damaged checkpoint
 * @throws CancelledError when the signal fired; the last checkpoint is then of that moment
 * @throws TrainingDivergedError when the loss is no longer finite
 * @example
 * ```ts
 * import { arrayData, createNetwork, train } from '@he-ml/snn-training'
 * const network = createNetwork({
 *   name: 'or',
 *   inputShape: [2],
 *   timeSteps: 2,
 *   layers: [{ kind: 'linear', name: 'fc', outFeatures: 2 }],
 * })
 * const data = arrayData(Float32Array.of(0, 0, 0, 1, 1, 0, 1, 1), [0, 1, 1, 1], [2])
 * const { history } = await train(network, {
 *   data,
 *   recipe: {
 *     epochs: 50,
 *     batchSize: 4,
 *     loss: { kind: 'crossEntropy' },
 *     optimizer: { kind: 'adam' },
 *     schedule: { learningRate: 0.1 },
 *   },
 * })
 * console.log(history.at(-1)!.accuracy) // 1
 * ```
 */
export async function train(network: Network, options: TrainOptions): Promise<TrainingResult> {
  const recipe = checkRecipe(options.recipe)
  checkData(network, options, recipe)
  return new TrainingRun(network, options, recipe).run()
}

function checkData(network: Network, { data, validation }: TrainOptions, recipe: TrainingRecipe): void {
  const { inputShape, timeSteps, inputTime } = network.description
  const perStep = inputTime === 'perStep'
  for (const [name, set] of Object.entries({ data, validation })) {
    if (!set) continue
    if (!(set.count >= 1)) throw new InvalidArgumentError(`training: expected at least one sample as ${name}, got none`)
    if (`${set.shape}` !== `${inputShape}` || (set.steps !== timeSteps && (perStep || set.steps !== 1)))
      throw new InvalidArgumentError(
        `training: expected ${name} with ${perStep ? '' : '1 or '}${timeSteps} frames of [${inputShape}], got ${set.steps} of [${set.shape}]`,
      )
  }
  if (recipe.patience !== undefined && !validation)
    throw new InvalidArgumentError('training: a patience needs validation data: give some, or leave it out')
  if (!recipe.frozenStatistics) checkSmallestBatch(network, data, recipe)
}

/** Known before the first step, not after the last batch of the first epoch. */
function checkSmallestBatch(network: Network, { count, steps }: LabelledData, { batchSize }: TrainingRecipe): void {
  const batch = count % batchSize || batchSize
  const name = singleValued(network.description, { batch, steps })
  if (name === undefined) return
  throw new InvalidArgumentError(
    `training: ${count} samples in batches of ${batchSize} make one of ${batch}, in which the normalisation "${name}" sees one value per channel, and that has no variance: choose another batchSize or number of samples, or frozenStatistics`,
  )
}

function requireFinite(loss: number, where: string): void {
  if (!Number.isFinite(loss))
    throw new TrainingDivergedError(
      `training: expected a finite loss, got ${loss} in ${where}: lower the learning rate or the inputs' range`,
    )
}

class TrainingRun {
  readonly #network: Network
  readonly #options: TrainOptions
  readonly #recipe: TrainingRecipe
  readonly #loss: Loss
  readonly #batches: BatchCollector
  readonly #state: RunState
  readonly #steps: number
  readonly #started = performance.now()
  #stepsDone = 0
  #position: Position = { epoch: 0, step: 0, lossSum: 0, correct: 0, seen: 0, history: [] }

  constructor(network: Network, options: TrainOptions, recipe: TrainingRecipe) {
    this.#network = network
    this.#options = options
    this.#recipe = recipe
    this.#loss = createLoss(recipe.loss)
    this.#batches = new BatchCollector(options.data, network.precision)
    const best: readonly NamedValues[] = network.state.map((values) => ({ ...values, value: values.value.slice() }))
    const optimizer = createOptimizer(recipe.optimizer, network.parameters)
    this.#state = { network, optimizer, recipe, samples: options.data.count, best }
    this.#steps = Math.ceil(options.data.count / recipe.batchSize)
    cosineRate(recipe.schedule, 0, recipe.epochs * this.#steps)
    if (options.resume) this.#position = restoreCheckpoint(this.#state, options.resume)
  }

  async run(): Promise<TrainingResult> {
    while (this.#position.epoch < this.#recipe.epochs && !this.#isStale()) {
      await this.#finishEpoch()
      await this.#write()
    }
    const { history, best } = this.#position
    if (best) for (const [i, { value }] of this.#network.state.entries()) value.set(this.#state.best[i]!.value)
    const stoppedEarly = history.length < this.#recipe.epochs
    return { history, epoch: best?.epoch ?? history.length - 1, stoppedEarly }
  }

  /** No better epoch for as long as the patience lasts. */
  #isStale(): boolean {
    const { best, epoch } = this.#position
    const { patience } = this.#recipe
    return patience !== undefined && best !== undefined && epoch - 1 - best.epoch >= patience
  }

  async #finishEpoch(): Promise<void> {
    const { data } = this.#options
    const { batchSize, seed } = this.#recipe
    const order = permutation(data.count, new RandomStream(deriveSeed(seed, 'shuffle', this.#position.epoch)))
    const every = this.#options.checkpoint?.everySteps
    while (this.#position.step < this.#steps) {
      await this.#checkCancelled()
      const { step } = this.#position
      const rate = await this.#step(order.subarray(step * batchSize, (step + 1) * batchSize))
      if (this.#position.step === this.#steps) break
      this.#report(rate)
      if (every !== undefined && this.#position.step % every === 0) await this.#write()
    }
    await this.#closeEpoch()
  }

  async #step(indices: Uint32Array): Promise<number> {
    const { augmentation } = this.#options
    const { seed, frozenStatistics, schedule, epochs } = this.#recipe
    const { epoch, step, lossSum, correct, seen } = this.#position
    const index = epoch * this.#steps + step
    const augment = augmentation && { augmentation, seed, epoch }
    const { input, labels } = this.#batches.collect(indices, augment)
    const passSeed = deriveSeed(seed, 'pass', index)
    const output = await this.#network.forward(input, { training: true, frozenStatistics, seed: passSeed })
    const { loss, gradient } = this.#loss(output, labels)
    requireFinite(loss, `epoch ${epoch}, step ${step}`)
    await this.#network.backward(gradient)
    const rate = cosineRate(schedule, index, epochs * this.#steps)
    this.#state.optimizer.step(rate)
    this.#stepsDone++
    this.#position = {
      ...this.#position,
      step: step + 1,
      lossSum: lossSum + loss * labels.length,
      correct: correct + countCorrect(meanOverTime(output), labels),
      seen: seen + labels.length,
    }
    return rate
  }

  async #closeEpoch(): Promise<void> {
    const { epoch, lossSum, correct, seen, history, best } = this.#position
    const { validation } = this.#options
    const { batchSize, patience, schedule, epochs } = this.#recipe
    const measured = validation && (await evaluate(this.#network, validation, { loss: this.#loss, batchSize }))
    if (measured) requireFinite(measured.loss, `the validation after epoch ${epoch}`)
    const finished: EpochResult = {
      epoch,
      loss: lossSum / seen,
      accuracy: correct / seen,
      ...(measured && { validation: measured }),
    }
    const isBest =
      patience !== undefined &&
      measured !== undefined &&
      (!best || measured.accuracy > best.accuracy || (measured.accuracy === best.accuracy && measured.loss < best.loss))
    if (isBest) for (const [i, { value }] of this.#network.state.entries()) this.#state.best[i]!.value.set(value)
    this.#report(cosineRate(schedule, (epoch + 1) * this.#steps - 1, epochs * this.#steps), finished)
    const newest = isBest ? { epoch, accuracy: measured.accuracy, loss: measured.loss } : best
    this.#position = {
      epoch: epoch + 1,
      step: 0,
      lossSum: 0,
      correct: 0,
      seen: 0,
      history: [...history, finished],
      ...(newest && { best: newest }),
    }
  }

  #report(learningRate: number, finished?: EpochResult): void {
    const { epoch, step, lossSum, correct, seen } = this.#position
    const { epochs } = this.#recipe
    const left = (epochs - epoch) * this.#steps - step
    const secondsLeft = (((performance.now() - this.#started) / 1000) * left) / this.#stepsDone
    const [loss, accuracy] = [lossSum / seen, correct / seen]
    const steps = this.#steps
    this.#options.onProgress?.({
      epoch,
      epochs,
      step,
      steps,
      loss,
      accuracy,
      learningRate,
      secondsLeft,
      ...(finished && { finished }),
    })
  }

  async #write(): Promise<void> {
    await this.#options.checkpoint?.write(encodeCheckpoint(this.#state, this.#position))
  }

  async #checkCancelled(): Promise<void> {
    if (!this.#options.signal?.aborted) return
    await this.#write()
    const { epoch, step } = this.#position
    throw new CancelledError(`training: cancelled in epoch ${epoch}, step ${step}`, {
      cause: this.#options.signal.reason,
    })
  }
}
