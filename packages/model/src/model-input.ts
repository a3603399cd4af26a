/**
 * What a model is given: one tensor, which is the same at every time step (an image), or a frame for each step (what an event
 * camera counted meanwhile). Frames come as one tensor whose first dimension is time.
 */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import { type Grid, nearestOnGrid } from './spiking/grid.ts'
import { createTensor, type Shape, sameShape, sizeOf, type Tensor } from './tensor.ts'

/** Whether an input stays the same over the time steps, or each has its own. */
export type InputTime = 'static' | 'perStep'

/** The input of a model. */
export interface ModelInput {
  /** Names its value in the model: nodes that read the input name it. */
  readonly name: string
  /** Of what the layers that read it see at one time step. */
  readonly shape: Shape
  /** Default 'static'; a model with a 'perStep' input takes tensors of [steps, ...shape]. */
  readonly time?: InputTime
  /** Of unrolled models with a 'perStep' input: the frames as values of their own, in the order of time. */
  readonly frames?: readonly string[]
  /** The few values that the model reads: whatever it is given is rounded to them first. Default: values are read as they are. */
  readonly grid?: Grid
}

/** What a tensor must look like to be an input. */
export interface InputForm {
  /** Of the whole tensor when static, of one frame otherwise. */
  readonly shape: Shape
  /** How many frames make an input; absent for a static one. */
  readonly frames?: number
}

/** The shape of a whole input: of frames with their number in front. */
export const wholeShape = ({ shape, frames }: InputForm): Shape => (frames === undefined ? shape : [frames, ...shape])

/**
 * Holds a tensor's shape to what is taken.
 *
 * @param who takes it, as a sentence about it begins: `model "m"`
 * @throws InvalidArgumentError with both shapes; where frames were given for a static input, or the reverse, it names both kinds
 */
export function assertInputShape(who: string, form: InputForm, got: Shape): void {
  const wanted = wholeShape(form)
  if (!Array.isArray(got))
    throw new InvalidArgumentError(
      `${who} takes a tensor of [${wanted}], got what has no shape: make one with createTensor`,
    )
  if (sameShape(wanted, got)) return
  throw new InvalidArgumentError(`${who} takes [${wanted}], got [${got}]${confusion(form, got)}`)
}

/** What was mixed up, when something was. */
function confusion({ shape, frames }: InputForm, got: Shape): string {
  const [count, ...rest] = got
  if (frames === undefined)
    return sameShape(rest, shape)
      ? `: its input is 'static', one tensor for all time steps, and these are ${count} frames of a 'perStep' input`
      : ''
  const own = `: its input is 'perStep', a frame of [${shape}] for each of ${frames} time steps`
  if (sameShape(got, shape)) return `${own}, and this is one tensor of a 'static' input`
  return sameShape(rest, shape) ? `${own}, and these are ${count} frames` : own
}

/** The frames of a tensor, in the order of time: views on its data, not copies. */
export function framesOf({ shape, data }: Tensor): Tensor[] {
  const [count, ...rest] = shape
  const size = sizeOf(rest)
  return Array.from({ length: count! }, (_, t) => createTensor(rest, data.subarray(t * size, (t + 1) * size)))
}

/** The tensor that a model with this grid reads: every value at its nearest point; without a grid the tensor itself. */
export function onInputGrid(tensor: Tensor, grid: Grid | undefined): Tensor {
  if (!grid) return tensor
  return createTensor(
    tensor.shape,
    tensor.data.map((value) => nearestOnGrid(value, grid)),
  )
}

/** @throws InvalidArgumentError for a grid of an input that is none */
export function checkInputGrid(model: string, { name, grid }: ModelInput): void {
  if (!grid) return
  const { step, count } = grid
  if (step > 0 && Number.isFinite(step) && Number.isSafeInteger(count) && count >= 2 && count % 2 === 0) return
  throw new InvalidArgumentError(
    `model "${model}": expected a grid with a positive step and an even count for its input "${name}", got ${JSON.stringify({ step, count })}`,
  )
}

/** @throws InvalidArgumentError for another time than the two, and for frames of a model that is not unrolled */
export function checkFrames(
  model: string,
  { name, time, frames }: ModelInput,
  { steps = 1, states = [] }: { readonly steps?: number; readonly states?: readonly unknown[] },
): void {
  if (time !== undefined && time !== 'static' && time !== 'perStep')
    throw new InvalidArgumentError(
      `model "${model}": expected the time 'static' or 'perStep' of its input, got "${time}"`,
    )
  if (frames === undefined) return
  if (time !== 'perStep' || steps !== 1 || states.length > 0 || frames.length === 0)
    throw new InvalidArgumentError(
      `model "${model}": the input "${name}" lists frames, as those of unrolled models with a 'perStep' input do: leave them out, unroll names them`,
    )
}
