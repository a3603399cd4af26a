/**
 * Inputs in batches through the f32 kernels. Layers without a function for batches run input by input, rounded to single precision
 * afterwards. Statistics are taken input by input, so that they do not depend on the size of a batch.
 */
import type { Pacer } from '@he-ml/ckks-core'
import type { FloatBatch, FloatKernels } from '@he-ml/float-kernels'
import {
  assertInputShape,
  type CalibratedGraphLayer,
  createTensor,
  forwardAll,
  type GraphLayer,
  isCalibrated,
  type Model,
  observedBy,
  onInputGrid,
  sizeOf,
  type Tensor,
} from '@he-ml/model'
import { runsOnBatches, stack } from './batches.ts'
import { type LiveValues, liveValues } from './live-values.ts'
import type { Observations } from './observations.ts'

/** Elements that are alive at one time: 8 MiB, near the processor's caches, and few milliseconds for a loop over a value. */
const LIVE_ELEMENTS = 2 ** 21

export interface BatchTask {
  readonly model: Model
  readonly seen: Observations
  readonly kernels: FloatKernels<Float32Array>
  readonly pacer: Pacer
  /** Called after each batch. */
  readonly done: () => void
  /** Elements that may be alive at one time; at least one input is taken whatever it needs. Default {@link LIVE_ELEMENTS}. */
  readonly liveElements?: number
}

/** @throws InvalidArgumentError for an input of another shape than the model's, or values that are not finite */
export async function observeBatches(inputs: Iterable<Tensor>, task: BatchTask): Promise<void> {
  const live = liveValues(task.model)
  const most = Math.max(1, Math.floor((task.liveElements ?? LIVE_ELEMENTS) / live.peak))
  let batch: Tensor[] = []
  for (const input of inputs) {
    await task.pacer.step()
    batch.push(checked(task.model, input))
    if (batch.length < most) continue
    await observeBatch(batch, live, task)
    batch = []
  }
  if (batch.length > 0) await observeBatch(batch, live, task)
}

/** As the model reads it. */
function checked({ name, input, inputForm }: Model, tensor: Tensor): Tensor {
  assertInputShape(`model "${name}"`, inputForm, tensor.shape)
  return onInputGrid(tensor, input.grid)
}

async function observeBatch(inputs: readonly Tensor[], { freed }: LiveValues, task: BatchTask): Promise<void> {
  const { model, seen, kernels, pacer } = task
  for (const { data } of inputs) seen.input(data)
  const values = new Map<string, FloatBatch>()
  const keep = (name: string, batch: FloatBatch): void => {
    for (const data of samplesOf(batch)) seen.value(name, data)
    values.set(name, batch)
  }
  keep(model.input.name, stack(inputs))
  for (const [i, { name, layer, inputs: read, values: results }] of model.nodes.entries()) {
    await pacer.step()
    const given = read.map((value) => values.get(value)!)
    if (isCalibrated(layer)) {
      for (const data of observedOf(layer, given)) seen.observed(name, data)
      if (layer.inputGrid !== undefined) for (const data of samplesOf(given[0]!)) seen.onGrid(name, data)
    }
    const outputs = runsOnBatches(layer) ? [await layer.forwardFloat(kernels, given)] : forwardEach(layer, given)
    for (const [j, output] of outputs.entries()) keep(results[j]!, output)
    for (const value of freed[i]!) values.delete(value)
  }
  for (const data of samplesOf(values.get(model.output)!)) seen.result(data)
  task.done()
}

/** The elements of each tensor. */
function* samplesOf({ shape, count, data }: FloatBatch): Generator<Float32Array> {
  const size = sizeOf(shape)
  for (let n = 0; n < count; n++) yield data.subarray(n * size, (n + 1) * size)
}

function* observedOf(
  layer: CalibratedGraphLayer,
  given: readonly FloatBatch[],
): Generator<Float32Array | Float64Array> {
  if (!layer.observed) return yield* samplesOf(given[0]!)
  for (let n = 0; n < given[0]!.count; n++) yield observedBy(layer, tensorsOf(given, n)).data
}

/** The n-th tensor of each batch. */
const tensorsOf = (batches: readonly FloatBatch[], n: number): readonly Tensor[] =>
  batches.map(({ shape, data }) => {
    const size = sizeOf(shape)
    return createTensor(shape, Float64Array.from(data.subarray(n * size, (n + 1) * size)))
  })

function forwardEach(layer: GraphLayer, given: readonly FloatBatch[]): readonly FloatBatch[] {
  const rows = Array.from({ length: given[0]!.count }, (_, n) => forwardAll(layer, tensorsOf(given, n)))
  return rows[0]!.map((_, output) => stack(rows.map((row) => row[output]!)))
}
