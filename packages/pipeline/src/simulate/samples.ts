/** Clear samples on their way through networks: judged, a batch at a time, on the float kernels where these can. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { FloatKernels } from '@he-ml/float-kernels'
import { assertInputShape, type Model, type Tensor } from '@he-ml/model'
import { runsOnBatches } from '../ready/batches.ts'
import { liveValues } from '../ready/live-values.ts'
import { openKernels } from '../ready/open-kernels.ts'

/** Elements that are alive at one time: as `fit` takes them. */
const LIVE_ELEMENTS = 2 ** 21

/** @throws InvalidArgumentError for another shape than the model's input, or numbers that are not finite */
export function checkSample(call: string, model: Model, { shape, data }: Tensor, index: number): void {
  assertInputShape(`model "${model.name}"`, model.inputForm, shape)
  assertFinite(`${call}: sample ${index}`, data)
}

/** @throws InvalidArgumentError for NaN and infinities, saying where */
export function assertFinite(what: string, data: Float64Array): void {
  const at = data.findIndex((x) => !Number.isFinite(x))
  if (at >= 0) throw new InvalidArgumentError(`${what}: element ${at} is ${data[at]}: expected finite numbers`)
}

/** How many samples may be on their way at one time. */
export const samplesAtOnce = (models: readonly Model[]): number =>
  Math.max(1, Math.floor(LIVE_ELEMENTS / Math.max(...models.map((model) => liveValues(model).peak))))

export function* inBatches(inputs: Iterable<Tensor>, most: number): Generator<Tensor[]> {
  let batch: Tensor[] = []
  for (const input of inputs) {
    batch.push(input)
    if (batch.length < most) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

/** Whether a model, in these unrolled forms, has layers for the float kernels; models over time are computed in double precision. */
export const runsInSingle = ({ states, input }: Model, unrolled: readonly Model[]): boolean =>
  states.length === 0 &&
  input.time !== 'perStep' &&
  unrolled.every(({ nodes }) => nodes.some(({ layer }) => runsOnBatches(layer)))

/** Does something with float kernels, or without, which live as long. */
export async function onKernels<T>(
  wanted: boolean,
  work: (kernels?: FloatKernels<Float32Array>) => Promise<T>,
): Promise<T> {
  if (!wanted) return work()
  await using kernels = await openKernels()
  return await work(kernels)
}
