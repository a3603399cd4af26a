/** An event camera looks at a moving image. */
import { DatasetFormatError } from '../../errors.ts'
import type { EventChunk, EventRecording } from '../event-chunk.ts'
import { EventBuffer } from './event-buffer.ts'
import { Random } from './random.ts'
import { type MovingImage, SceneSampler } from './scene.ts'
import { PixelArray, type SensorModel } from './sensor.ts'

/** Options of {@link simulateEvents}. */
export interface SimulationOptions {
  /** Length of the recording, in us. */
  readonly durationUs: number
  /**
   * Time between two looks at the scene, in us; default 1,000. In between, log-intensities go in straight lines and crossing
   * times are exact. Half a pixel of movement per step is fine enough.
   */
  readonly stepUs?: number
  /** Equal seeds give equal recordings. Several numbers may be given, as (set, recording). */
  readonly seed: number | readonly number[]
  /** A chunk is handed out once it has so many events; default 65,536. */
  readonly chunkEvents?: number
}

/**
 * Events of a sensor before which an image moves, in order of time, chunk by chunk.
 * @throws DatasetFormatError for parameters out of range
 * @example
 * ```ts
 * import { ATIS_LIKE, saccadePath, simulateEvents } from '@he-ml/datasets'
 * const image = { width: 2, height: 2, intensity: Float32Array.of(1, 1, 1, 1) }
 * const path = saccadePath({ centre: { x: 16, y: 16 }, amplitude: 3 })
 * for (const events of simulateEvents({ image, path }, ATIS_LIKE, { durationUs: 300_000, seed: 1 }))
 *   console.log(events.x.length > 0) // true
 * ```
 */
export function* simulateEvents(
  scene: MovingImage,
  sensor: SensorModel,
  options: SimulationOptions,
): Generator<EventChunk> {
  const { durationUs, stepUs = 1000, seed, chunkEvents = 65_536 } = options
  if (!(durationUs > 0 && durationUs < 2 ** 31) || !(stepUs >= 1 && stepUs <= durationUs))
    throw new DatasetFormatError(
      `simulation: expected a duration below 2^31 us and steps of at least 1 us, got ${durationUs} and ${stepUs}`,
    )
  const pixels = new PixelArray(sensor, new Random(...(typeof seed === 'number' ? [seed] : seed)))
  const sampler = new SceneSampler(scene, sensor, sensor.darkLevel)
  const buffer = new EventBuffer(sensor.width)
  pixels.start(sampler.now)
  const steps = Math.ceil(durationUs / stepUs)
  for (let step = 0; step < steps; step++) {
    const t0 = step * stepUs
    const t1 = Math.min(durationUs, t0 + stepUs)
    sampler.look(t1)
    pixels.advance(sampler.before, sampler.now, sampler.intensity, t0, t1, buffer)
    if (buffer.length >= chunkEvents) yield buffer.take(0)
  }
  if (buffer.length > 0) yield buffer.take(0)
}

/** The same as a recording that can be read again and again. */
export function simulateRecording(scene: MovingImage, sensor: SensorModel, options: SimulationOptions): EventRecording {
  return {
    width: sensor.width,
    height: sensor.height,
    async *[Symbol.asyncIterator]() {
      yield* simulateEvents(scene, sensor, options)
    },
  }
}
