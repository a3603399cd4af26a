/** Recordings like those of N-MNIST and CIFAR10-DVS. docs/notes/event-data.md compares their statistics with the real ones. */
import { DatasetFormatError } from '../../errors.ts'
import type { LabelledImages } from '../../images.ts'
import { concatenateEvents, type EventChunk } from '../event-chunk.ts'
import { loopPath, saccadePath } from './paths.ts'
import { Random } from './random.ts'
import type { GreyImage } from './scene.ts'
import type { SensorModel } from './sensor.ts'
import { simulateEvents } from './simulate.ts'

/** The 34 x 34 pixels of an ATIS that N-MNIST keeps. The threshold is set so that a digit makes about as many events as there. */
export const ATIS_LIKE: SensorModel = {
  width: 34,
  height: 34,
  thresholdOn: 0.365,
  thresholdOff: 0.365,
  thresholdMismatch: 0.03,
  refractoryUs: 500,
  leakHz: 0.1,
  shotHz: 1,
  darkLevel: 0.15,
  sensorSeed: 1,
}

/** A DVS128 in office light. */
export const DVS128_LIKE: SensorModel = {
  width: 128,
  height: 128,
  thresholdOn: 0.2,
  thresholdOff: 0.2,
  thresholdMismatch: 0.03,
  refractoryUs: 500,
  leakHz: 0.1,
  shotHz: 1,
  darkLevel: 0.1,
  sensorSeed: 1,
}

/** Options of {@link simulateNmnist} and {@link simulateDvs}. */
export interface RecordingOptions {
  /** Equal seeds, images and sensors give equal recordings, whatever else is recorded. Default 0. */
  readonly seed?: number
  /** Parameters that differ from the preset's. */
  readonly sensor?: Partial<SensorModel>
}

/**
 * Image `index` as N-MNIST would have it: 300 ms, three saccades of 100 ms, about 4,000 events on 34 x 34 pixels.
 * @throws DatasetFormatError for images larger than the sensor, or an index that does not exist
 * @example
 * ```ts
 * import { eventFrames, simulateNmnist } from '@he-ml/datasets'
 * const pixels = new Uint8Array(784).fill(255, 300, 320)
 * const images = { shape: [1, 28, 28] as const, count: 1, classes: 10, pixels, labels: Uint8Array.of(7) }
 * const events = simulateNmnist(images, 0)
 * console.log(eventFrames({ width: 34, height: 34 }, events, { timeSteps: 10, durationUs: 300_000, startUs: 0 }).shape)
 * ```
 */
export function simulateNmnist(images: LabelledImages, index: number, options: RecordingOptions = {}): EventChunk {
  const sensor = { ...ATIS_LIKE, ...options.sensor }
  const image = greyImage(images, index)
  const room = { x: (sensor.width - image.width) / 2, y: (sensor.height - image.height) / 2 }
  if (room.x < 0 || room.y < 0)
    throw new DatasetFormatError(
      `N-MNIST-like: expected images of at most ${sensor.width} x ${sensor.height}, got ${image.width} x ${image.height}`,
    )
  const { seed = 0 } = options
  const random = new Random(seed, index, 1)
  // a pan-tilt unit does not come to rest at quite the same place each time
  const centre = { x: room.x + 0.25 * random.normal(), y: room.y + 0.25 * random.normal() }
  const path = saccadePath({ centre, amplitude: Math.min(room.x, room.y) })
  return concatenateEvents([
    ...simulateEvents({ image, path }, sensor, { durationUs: 300_000, stepUs: 2000, seed: [seed, index] }),
  ])
}

/**
 * Image `index` as CIFAR10-DVS would have it: grey, four times as large, moving in a closed loop of 200 ms, six times, before a
 * sensor of 128 x 128 pixels. Chunk by chunk, as a recording has some 100,000 events.
 * @throws DatasetFormatError for an index that does not exist
 */
export function* simulateDvs(
  images: LabelledImages,
  index: number,
  options: RecordingOptions = {},
): Generator<EventChunk> {
  const sensor = { ...DVS128_LIKE, ...options.sensor }
  const image = enlarge(greyImage(images, index), 4)
  const centre = { x: (sensor.width - image.width) / 2, y: (sensor.height - image.height) / 2 }
  const path = loopPath({ centre, amplitude: 8 })
  const seed = [options.seed ?? 0, index]
  yield* simulateEvents({ image, path, surround: 'edge' }, sensor, { durationUs: 1_200_000, stepUs: 2000, seed })
}

/**
 * Image `index` in grey: luma of Rec. 601 for three channels.
 * @throws DatasetFormatError for an index that does not exist, or neither one nor three channels
 */
export function greyImage(images: LabelledImages, index: number): GreyImage {
  const [channels, height, width] = images.shape
  if (!Number.isInteger(index) || index < 0 || index >= images.count)
    throw new DatasetFormatError(`image ${index} does not exist: there are ${images.count}`)
  if (channels !== 1 && channels !== 3)
    throw new DatasetFormatError(`expected images of 1 or 3 channels, got ${channels}`)
  const plane = width * height
  const start = index * channels * plane
  const weights = channels === 1 ? [1] : [0.299, 0.587, 0.114]
  const intensity = new Float32Array(plane)
  weights.forEach((weight, channel) => {
    const from = start + channel * plane
    for (let i = 0; i < plane; i++) intensity[i]! += (weight * images.pixels[from + i]!) / 255
  })
  return { width, height, intensity: intensity.map((i) => Math.min(1, i)) }
}

/** A grey image larger by a whole factor, bilinear between the middles of its pixels. */
export function enlarge(image: GreyImage, factor: number): GreyImage {
  const [width, height] = [image.width * factor, image.height * factor]
  const intensity = new Float32Array(width * height)
  const clamp = (value: number, most: number) => Math.min(most, Math.max(0, value))
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) {
      const x = clamp((column + 0.5) / factor - 0.5, image.width - 1)
      const y = clamp((row + 0.5) / factor - 0.5, image.height - 1)
      const [x0, y0] = [Math.floor(x), Math.floor(y)]
      const [x1, y1] = [Math.min(image.width - 1, x0 + 1), Math.min(image.height - 1, y0 + 1)]
      const at = (r: number, c: number) => image.intensity[r * image.width + c]!
      const upper = at(y0, x0) * (x0 + 1 - x) + at(y0, x1) * (x - x0)
      const lower = at(y1, x0) * (x0 + 1 - x) + at(y1, x1) * (x - x0)
      intensity[row * width + column] = upper * (y0 + 1 - y) + lower * (y - y0)
    }
  return { width, height, intensity }
}
