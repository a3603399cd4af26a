/** Digits, or recordings of digits, as a spiking network reads them: pixels from 0 to 1, events from 0 to 1. */
import { join } from 'node:path'
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { digitData, digitImages, nmnistRecordings } from '@he-ml/example-train-spiking-lenet5/data'
import { createTensor, type Model, sizeOf, type Tensor } from '@he-ml/model'
import type { LabelledData } from '@he-ml/snn-training'
import type { DemoOptions } from './options.ts'
import { type StartBar, stopping } from './progress.ts'

export interface LabelledInput {
  /** Of the model's `inputShape`: [1, 28, 28], or [time steps, 2, 34, 34]. */
  readonly tensor: Tensor
  /** 0 to 9. */
  readonly label: number
}

/** What a network is planned with, and what it is asked. */
export interface Inputs {
  readonly kind: 'digits' | 'recordings'
  readonly training: readonly Tensor[]
  readonly test: readonly LabelledInput[]
}

type Wishes = Pick<DemoOptions, 'data' | 'inputs' | 'samples' | 'out'>

interface Surroundings {
  readonly startBar: StartBar
  readonly signal: AbortSignal
}

/** Training inputs that ranges are learned from. */
const SAMPLES = { digits: 2000, recordings: 300 }
/** Recordings of the test digits have a seed of their own, as where the models were judged. */
const SEEDS = { training: 0, test: 1 }

/**
 * The first of the training digits and of the test digits; recordings are simulated, and kept below `out`.
 *
 * @throws InvalidArgumentError for a network that takes neither; DatasetFormatError for missing or damaged files
 * @throws CancelledError through the signal
 */
export async function loadInputs(model: Model, wishes: Wishes, surroundings: Surroundings): Promise<Inputs> {
  const kind = kindOf(model)
  const samples = wishes.samples ?? SAMPLES[kind]
  const images = await digitImages(wishes.data)
  const read = async (set: 'training' | 'test', wanted: number): Promise<LabelledData> => {
    const count = Math.min(wanted, images[set].count)
    if (kind === 'digits') return { ...digitData(images[set]), count }
    using bar = stopping(surroundings.startBar(`recordings, ${set}`))
    return await nmnistRecordings(images[set], {
      timeSteps: model.steps,
      count,
      seed: SEEDS[set],
      cache: join(wishes.out, 'recordings'),
      onProgress: (done, total) => bar.update(done / total),
      signal: surroundings.signal,
    })
  }
  return {
    kind,
    training: all(await read('training', samples), model).map(({ tensor }) => tensor),
    test: all(await read('test', wishes.inputs), model),
  }
}

function kindOf({ input: { shape, time } }: Model): Inputs['kind'] {
  if (`${shape}` === '1,28,28' && time !== 'perStep') return 'digits'
  if (`${shape}` === '2,34,34' && time === 'perStep') return 'recordings'
  throw new InvalidArgumentError(
    `the network takes [${shape}]${time === 'perStep' ? ' at each time step' : ''}; digits are [1,28,28], recordings [2,34,34] at each time step`,
  )
}

function all(data: LabelledData, { inputShape }: Model): LabelledInput[] {
  return Array.from({ length: data.count }, (_, i) => {
    const values = new Float64Array(sizeOf(inputShape))
    data.read(i, values)
    return { tensor: createTensor([...inputShape], values), label: data.label(i) }
  })
}
