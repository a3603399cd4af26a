/** Sliding-window options as users write them, checked and completed. */
import { InvalidArgumentError } from '@he-ml/ckks-core'
import type { Shape } from '@he-ml/model'
import type { Padding, Pair, Window } from './linear-map.ts'

/** How a window goes over an image. */
export interface WindowOptions {
  /** Rows and columns, or one number for both. Default 1. */
  readonly stride?: number | Pair
  /** All sides; rows and columns; or top, left, bottom, right. Default 0. */
  readonly padding?: number | Pair | Padding
  /** Default 1. */
  readonly dilation?: number | Pair
}

/** @throws InvalidArgumentError naming the layer and the option */
export function createWindow(name: string, kernel: number | Pair, options: WindowOptions): Window {
  const padding = options.padding ?? 0
  const sides = typeof padding === 'number' ? [padding, padding] : padding
  return {
    kernel: pair(name, 'kernel', kernel, 1),
    stride: pair(name, 'stride', options.stride ?? 1, 1),
    dilation: pair(name, 'dilation', options.dilation ?? 1, 1),
    padding: sizes(name, 'padding', sides.length === 2 ? [...sides, ...sides] : sides, 4, 0) as unknown as Padding,
  }
}

function pair(name: string, option: string, value: number | Pair, min: number): Pair {
  return sizes(name, option, typeof value === 'number' ? [value, value] : value, 2, min) as unknown as Pair
}

function sizes(name: string, option: string, values: readonly number[], count: number, min: number): readonly number[] {
  if (values.length !== count || values.some((v) => !Number.isInteger(v) || v < min))
    throw new InvalidArgumentError(
      `layer "${name}": ${option} needs ${count} integers of at least ${min}, got [${values}]`,
    )
  return Object.freeze([...values])
}

/** Height and width of the output. @throws InvalidArgumentError when the window does not fit the image */
export function windowOutput(name: string, shape: Shape, window: Window): Pair {
  const size = (axis: 0 | 1): number => {
    const padded = shape[axis + 1]! + window.padding[axis] + window.padding[axis + 2]!
    const span = window.dilation[axis] * (window.kernel[axis] - 1) + 1
    if (span > padded)
      throw new InvalidArgumentError(
        `layer "${name}": a window of ${span} ${axis === 0 ? 'rows' : 'columns'} does not fit the padded image of ${padded} (input [${shape}]): use a smaller kernel or more padding`,
      )
    return Math.floor((padded - span) / window.stride[axis]) + 1
  }
  return [size(0), size(1)]
}

/** @throws InvalidArgumentError unless the shape is [channels, height, width] */
export function imageShape(name: string, shape: Shape | undefined): readonly [number, number, number] {
  if (shape?.length !== 3)
    throw new InvalidArgumentError(`layer "${name}": expected an input [channels, height, width], got [${shape ?? ''}]`)
  return shape as unknown as readonly [number, number, number]
}
