/** Shapes and arrays of jobs, checked before any work. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { ChannelSizes } from '../port/channel-tasks.ts'
import { bothWays, type ConvolutionSizes } from '../port/matrix-tasks.ts'
import type { PoolSizes } from '../port/pool-tasks.ts'

const MOST = 2 ** 31

/** @throws InvalidArgumentError unless `value` is an integer from `least` to 2^31 */
function checkSize(operation: string, name: string, value: number, least: number): void {
  if (!(Number.isInteger(value) && value >= least && value <= MOST))
    throw new InvalidArgumentError(`${operation}: ${name}: expected an integer from ${least} to 2^31, got ${value}`)
}

/** @throws InvalidArgumentError unless all are integers from 0 to 2^31 */
export function checkSizes(operation: string, sizes: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(sizes)) checkSize(operation, name, value, 0)
}

/** @throws InvalidArgumentError unless `value` is finite */
export function checkFinite(operation: string, name: string, value: number): void {
  if (!Number.isFinite(value))
    throw new InvalidArgumentError(`${operation}: ${name}: expected a finite number, got ${value}`)
}

type Values = Float32Array | Float64Array | Uint32Array

const TYPES = { Float32Array, Float64Array, Uint32Array }

/** An array of a job and how many values it must hold. */
export interface Operand {
  readonly array: Values
  readonly length: number
  readonly output?: boolean
  /** Default Float32Array. */
  readonly type?: keyof typeof TYPES
}

/**
 * @throws InvalidArgumentError for an array of another type or length, on shared or resizable memory, or for an output that
 * overlaps another array
 */
export function checkOperands(operation: string, operands: Readonly<Record<string, Operand | undefined>>): void {
  const present = Object.entries(operands).filter((entry): entry is [string, Operand] => entry[1] !== undefined)
  for (const [name, { array, length, type = 'Float32Array' }] of present) {
    if (!(array instanceof TYPES[type]))
      throw new InvalidArgumentError(`${operation}: ${name}: expected a ${type}, got ${nameOf(array)}`)
    if (array.length !== length)
      throw new InvalidArgumentError(
        `${operation}: ${name}: expected ${length} values as the sizes say, got ${array.length}`,
      )
    const buffer = array.buffer as ArrayBufferLike & { readonly resizable?: boolean }
    if (!(buffer instanceof ArrayBuffer) || buffer.resizable)
      throw new InvalidArgumentError(
        `${operation}: ${name}: expected memory that is neither shared nor resizable: copy the values into a new ${type}`,
      )
  }
  for (const [name, operand] of present) {
    if (!operand.output) continue
    const other = present.find(([, o]) => o !== operand && overlap(o.array, operand.array))
    if (other)
      throw new InvalidArgumentError(`${operation}: ${name}: expected memory of its own, but it overlaps ${other[0]}`)
  }
}

/** The class of whatever came instead of an array. */
const nameOf = (value: unknown): string => (value as object | null)?.constructor?.name ?? String(value)

function overlap(a: Values, b: Values): boolean {
  return (
    a.buffer === b.buffer && a.byteOffset < b.byteOffset + b.byteLength && b.byteOffset < a.byteOffset + a.byteLength
  )
}

/** Numbers of values that a convolution's arrays must have, and its shape as the addon reads it. */
export interface CheckedConvolution {
  readonly words: Uint32Array
  readonly input: number
  readonly weight: number
  readonly output: number
}

/** @throws InvalidArgumentError naming the size that is wrong */
export function checkConvolution(operation: string, shape: ConvolutionSizes): CheckedConvolution {
  const { batch, inChannels, height, width, outChannels, groups = 1 } = shape
  const [ky, kx] = bothWays(shape.kernel)
  const [sy, sx] = bothWays(shape.stride)
  const [py, px] = bothWays(shape.padding)
  const positive = { batch, inChannels, height, width, outChannels, groups }
  const pairs = { 'kernel[0]': ky, 'kernel[1]': kx, 'stride[0]': sy, 'stride[1]': sx }
  for (const [name, value] of Object.entries({ ...positive, ...pairs })) checkSize(operation, name, value, 1)
  checkSizes(operation, { 'padding[0]': py, 'padding[1]': px })
  if (inChannels % groups !== 0 || outChannels % groups !== 0)
    throw new InvalidArgumentError(
      `${operation}: groups: expected a divisor of ${inChannels} and ${outChannels} channels, got ${groups}`,
    )
  if (ky > height + 2 * py || kx > width + 2 * px)
    throw new InvalidArgumentError(
      `${operation}: kernel: expected at most the padded image, ${height + 2 * py} x ${width + 2 * px}, got ${ky} x ${kx}`,
    )
  const outHeight = Math.floor((height + 2 * py - ky) / sy) + 1
  const outWidth = Math.floor((width + 2 * px - kx) / sx) + 1
  return {
    words: Uint32Array.of(batch, inChannels, height, width, outChannels, ky, kx, sy, sx, py, px, groups),
    input: batch * inChannels * height * width,
    weight: outChannels * (inChannels / groups) * ky * kx,
    output: batch * outChannels * outHeight * outWidth,
  }
}

function checkPositive(operation: string, sizes: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(sizes)) checkSize(operation, name, value, 1)
}

/** Number of values. @throws InvalidArgumentError naming the size that is wrong */
export function checkChannels(operation: string, { images, channels, positions }: ChannelSizes): number {
  checkPositive(operation, { images, channels, positions })
  return images * channels * positions
}

/** Sizes of a pooling as the addon reads them, and its numbers of values. */
export interface CheckedPool {
  readonly sizes: readonly [planes: number, height: number, width: number, kernel: number, stride: number]
  readonly input: number
  readonly output: number
}

/** @throws InvalidArgumentError naming the size that is wrong */
export function checkPool(operation: string, { planes, height, width, kernel, stride }: PoolSizes): CheckedPool {
  checkPositive(operation, { planes, height, width, kernel, stride })
  if (kernel > height || kernel > width)
    throw new InvalidArgumentError(
      `${operation}: kernel: expected at most the plane, ${height} x ${width}, got ${kernel}`,
    )
  const [rows, columns] = [height, width].map((size) => Math.floor((size - kernel) / stride) + 1) as [number, number]
  return {
    sizes: [planes, height, width, kernel, stride],
    input: planes * height * width,
    output: planes * rows * columns,
  }
}
