/** How images move over the sensor. */
import type { Path } from './scene.ts'

/** Options of {@link saccadePath}. */
export interface SaccadePath {
  /** Where the image rests on average: its upper left corner, in pixels. */
  readonly centre: {
    /** Column. */
    readonly x: number
    /** Row. */
    readonly y: number
  }
  /** Half of the triangle's width and height, in pixels. */
  readonly amplitude: number
  /** Length of a saccade in us; default 100,000. */
  readonly saccadeUs?: number
  /** Share of it that the movement takes, the rest is stillness before and after; default 0.8. */
  readonly moving?: number
}

/**
 * N-MNIST's three saccades: the sensor goes along the sides of an isosceles triangle, down to the right, up to the right, back to
 * the left; the image goes the other way. Each movement starts and ends at rest (a quarter turn of a sine each).
 */
export function saccadePath({ centre, amplitude, saccadeUs = 100_000, moving = 0.8 }: SaccadePath): Path {
  const corners = [
    [1, 1],
    [0, -1],
    [-1, 1],
  ] as const
  return (timeUs) => {
    const time = Math.max(0, timeUs) / saccadeUs
    const leg = Math.floor(time)
    const share = Math.min(1, Math.max(0, (time - leg - (1 - moving) / 2) / moving))
    const eased = (1 - Math.cos(Math.PI * share)) / 2
    const [fromX, fromY] = corners[leg % 3]!
    const [toX, toY] = corners[(leg + 1) % 3]!
    return {
      x: centre.x + amplitude * (fromX + (toX - fromX) * eased),
      y: centre.y + amplitude * (fromY + (toY - fromY) * eased),
    }
  }
}

/** Options of {@link loopPath}. */
export interface LoopPath {
  /** Middle of the loop: the image's upper left corner, in pixels. */
  readonly centre: {
    /** Column. */
    readonly x: number
    /** Row. */
    readonly y: number
  }
  /** From the middle to a corner, in pixels. */
  readonly amplitude: number
  /** Time of one loop in us; default 200,000. */
  readonly loopUs?: number
}

/** CIFAR10-DVS's repeated closed loop: a square standing on its corner, its four sides at constant speed, again and again. */
export function loopPath({ centre, amplitude, loopUs = 200_000 }: LoopPath): Path {
  const corners = [
    [0, -1],
    [1, 0],
    [0, 1],
    [-1, 0],
  ] as const
  return (timeUs) => {
    const time = (4 * Math.max(0, timeUs)) / loopUs
    const leg = Math.floor(time)
    const [fromX, fromY] = corners[leg % 4]!
    const [toX, toY] = corners[(leg + 1) % 4]!
    return {
      x: centre.x + amplitude * (fromX + (toX - fromX) * (time - leg)),
      y: centre.y + amplitude * (fromY + (toY - fromY) * (time - leg)),
    }
  }
}
