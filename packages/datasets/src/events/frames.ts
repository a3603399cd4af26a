/**
 * Events to frames: how many events of each polarity each pixel had in an interval, by time or by count. What a network with
 * T time steps reads is [T, channels, height, width]. Times are whole microseconds, and the frame of an event is computed in
 * integers: 29 / 100 * 100 is 28.999999999999996, so a floating quotient puts events on a boundary into the frame before.
 */
import { DatasetFormatError } from '../errors.ts'
import { binOf } from './bin-of.ts'
import { checkEvents, checkSize, type EventChunk, type EventRecording, type SensorSize } from './event-chunk.ts'

/** A row-major tensor of single-precision numbers. */
export interface FrameTensor {
  /** The slowest dimension first. */
  readonly shape: readonly number[]
  /** As many values as the shape has elements. */
  readonly data: Float32Array
}

/** What a pixel of a frame is. */
export interface FrameContent {
  /**
   * 'separate' (default): two channels, OFF events counted in channel 0, ON in channel 1. 'sum': one channel, all events.
   * 'signed': one channel, ON minus OFF.
   */
  readonly polarity?: 'separate' | 'sum' | 'signed'
  /** Counts are cut to [-clip, clip]; 1 gives binary frames. Default: not cut. */
  readonly clip?: number
}

/** Where one frame ends and the next begins: a fixed time in whole us, or a fixed number of events. */
export type FrameInterval =
  | {
      /** Time of one frame in whole us, positive. */
      readonly binUs: number
    }
  | {
      /** Events of one frame, a positive integer. */
      readonly eventsPerFrame: number
    }

/** Options of {@link streamFrames}. */
export type StreamFrameOptions = FrameContent &
  FrameInterval & {
    /** Time of the first frame's start in whole us; default: of the first event. By time only; earlier events are refused. */
    readonly startUs?: number
    /** Most empty frames in a row; default 1,000,000. A damaged timestamp may otherwise ask for millions of years. */
    readonly maxGapFrames?: number
  }

export interface FrameOptions extends FrameContent {
  /** Number of frames T. */
  readonly timeSteps: number
  /** 'time' (default): T intervals of equal length. 'count': T intervals of an equal number of events. */
  readonly by?: 'time' | 'count'
  /**
   * By time: where the first interval starts and how long all are together, in whole us: an event t us after the start is in
   * frame floor(t T / durationUs), and from durationUs on in none. Default: from the first event to the last, which is in the
   * last frame.
   */
  readonly startUs?: number
  /** See `startUs`: how long all intervals are together, in whole us. */
  readonly durationUs?: number
}

/**
 * Frames of a recording one after the other, each [channels, height, width]; holds one frame and one chunk. By time, frames
 * without events come as zeros; the last frame comes however full it is. By time, an event that is older than the current frame
 * (sensors deliver some out of order) is counted in the current frame.
 * @throws DatasetFormatError for options that do not fit, and what the recording throws
 * @example
 * ```ts
 * import { parseNmnist, streamFrames } from '@he-ml/datasets'
 * const events = parseNmnist(Uint8Array.of(0, 0, 128, 0, 0, 1, 0, 0, 0, 9, 2, 0, 128, 0, 25))
 * for await (const frame of streamFrames({ width: 34, height: 34 }, [events], { binUs: 10 })) console.log(frame.shape) // 3 times
 * ```
 */
export async function* streamFrames(
  size: SensorSize,
  chunks: AsyncIterable<EventChunk> | Iterable<EventChunk>,
  options: StreamFrameOptions,
): AsyncGenerator<FrameTensor> {
  const counter = new Counter(size, options)
  const byTime = 'binUs' in options
  const interval = byTime ? options.binUs : options.eventsPerFrame
  if (!(interval > 0) || !Number.isSafeInteger(interval))
    throw new DatasetFormatError(
      `frames: expected a positive whole ${byTime ? 'binUs' : 'eventsPerFrame'}, got ${interval}`,
    )
  if (options.startUs !== undefined) requireWhole(options.startUs, 'startUs')
  const { maxGapFrames = 1e6 } = options
  let start = options.startUs
  let filled = 0
  for await (const events of chunks) {
    checkEvents(events, size, 'frames')
    for (let i = 0; i < events.x.length; i++) {
      const time = events.timestamp[i]!
      if (byTime) {
        if (start === undefined) start = time
        else if (filled === 0 && time < start)
          throw new DatasetFormatError(`frames: an event at ${time} us lies before startUs ${start}`)
        // of two integers below 2^53 the quotient, rounded, is never above the integer that it is below
        const ahead = Math.floor((time - start) / interval)
        if (ahead > maxGapFrames)
          throw new DatasetFormatError(
            `frames: ${ahead} empty frames before the event at ${time} us: damaged timestamps, or raise binUs or maxGapFrames`,
          )
        for (let gap = 0; gap < ahead; gap++) yield counter.take()
        if (ahead > 0) start += ahead * interval
      } else if (filled > 0 && filled % interval === 0) yield counter.take()
      counter.add(events, i)
      filled++
    }
  }
  if (filled > 0) yield counter.take()
}

/**
 * T frames of events in memory: [T, channels, height, width]. Events outside a given time range are left out.
 * @throws DatasetFormatError for options that do not fit, or events outside the sensor
 * @example
 * ```ts
 * import { eventFrames, parseNmnist } from '@he-ml/datasets'
 * const events = parseNmnist(Uint8Array.of(0, 0, 128, 0, 0, 1, 0, 0, 0, 9, 2, 0, 128, 0, 25))
 * const frames = eventFrames({ width: 34, height: 34 }, events, { timeSteps: 4, clip: 1 })
 * console.log(frames.shape) // [4, 2, 34, 34]
 * ```
 */
export function eventFrames(size: SensorSize, events: EventChunk, options: FrameOptions): FrameTensor {
  const { timeSteps, by = 'time' } = options
  checkEvents(events, size, 'frames')
  const counter = new Counter(size, options, timeSteps)
  const bounds = new Bounds()
  bounds.add(events)
  const range = by === 'time' ? bounds.times(options) : undefined
  place(counter, events, timeSteps, range ?? bounds.countsFrom(0))
  return counter.take()
}

/**
 * The same from a recording that is too large for memory. Without startUs and durationUs (or by count) it is read twice, so its
 * source must be a path or bytes.
 * @throws DatasetFormatError as {@link eventFrames}, and what the recording throws
 */
export async function recordingFrames(recording: EventRecording, options: FrameOptions): Promise<FrameTensor> {
  const { timeSteps, by = 'time' } = options
  const counter = new Counter(recording, options, timeSteps)
  const bounds = new Bounds()
  if (by === 'count' || options.startUs === undefined || options.durationUs === undefined)
    for await (const chunk of recording) bounds.add(chunk)
  const range = by === 'time' ? bounds.times(options) : undefined
  let index = 0
  for await (const chunk of recording) {
    checkEvents(chunk, recording, 'frames')
    place(counter, chunk, timeSteps, range ?? bounds.countsFrom(index))
    index += chunk.x.length
  }
  return counter.take()
}

/** What is cut into frames: a stretch of time, or a number of events. */
interface FrameRange {
  readonly total: number
  /** Whether an event at its very end is in the last frame: in a time that was measured from the events. */
  readonly isClosed: boolean
  /** Where an event lies: 0 is the start of the first frame, `total` the end of the last. */
  readonly placeOf: (events: EventChunk, i: number) => number
}

/** Counts each event in its frame. */
function place(counter: Counter, events: EventChunk, timeSteps: number, range: FrameRange): void {
  const { total, isClosed, placeOf } = range
  for (let i = 0; i < events.x.length; i++) {
    const at = placeOf(events, i)
    if (at < 0 || at > total || (at === total && !isClosed)) continue
    counter.add(events, i, at === total ? timeSteps - 1 : binOf(at, timeSteps, total))
  }
}

/** How many events there are, and when the first and the last. */
class Bounds {
  count = 0
  #first = Number.POSITIVE_INFINITY
  #last = Number.NEGATIVE_INFINITY

  add({ timestamp }: EventChunk): void {
    this.count += timestamp.length
    for (const time of timestamp) {
      if (time < this.#first) this.#first = time
      if (time > this.#last) this.#last = time
    }
  }

  /** All events by their number; the ones at hand begin with number `first`. */
  countsFrom(first: number): FrameRange {
    return { total: this.count, isClosed: false, placeOf: (_, i) => first + i }
  }

  times({ startUs, durationUs }: FrameOptions): FrameRange {
    const start = startUs ?? (this.count > 0 ? this.#first : 0)
    requireWhole(start, 'startUs')
    const duration = durationUs ?? Math.max(1, this.#last - start)
    requireWhole(duration, 'durationUs')
    if (duration <= 0) throw new DatasetFormatError(`frames: expected a positive durationUs, got ${duration}`)
    const placeOf = ({ timestamp }: EventChunk, i: number) => timestamp[i]! - start
    return { total: duration, isClosed: durationUs === undefined, placeOf }
  }
}

function requireWhole(value: number, name: string): void {
  if (!Number.isSafeInteger(value))
    throw new DatasetFormatError(`frames: expected a whole ${name} below 2^53, got ${value}`)
}

/** One tensor of counts that is filled, cut and handed out. */
class Counter {
  readonly #width: number
  readonly #plane: number
  readonly #frame: number
  readonly #shape: readonly number[]
  readonly #polarity: 'separate' | 'sum' | 'signed'
  readonly #clip: number
  #data: Float32Array

  constructor(size: SensorSize, content: FrameContent, timeSteps?: number) {
    if (timeSteps !== undefined && (!Number.isInteger(timeSteps) || timeSteps < 1 || timeSteps > 65_536))
      throw new DatasetFormatError(`frames: expected 1 to 65,536 timeSteps, got ${timeSteps}`)
    checkSize(size, 65_536, 'frames')
    const { polarity = 'separate', clip = Number.POSITIVE_INFINITY } = content
    if (!(clip > 0)) throw new DatasetFormatError(`frames: expected a positive clip, got ${clip}`)
    if (!['separate', 'sum', 'signed'].includes(polarity))
      throw new DatasetFormatError(`frames: expected polarity 'separate', 'sum' or 'signed', got '${polarity}'`)
    const channels = polarity === 'separate' ? 2 : 1
    this.#polarity = polarity
    this.#clip = clip
    this.#width = size.width
    this.#plane = size.width * size.height
    this.#frame = channels * this.#plane
    this.#shape = [...(timeSteps === undefined ? [] : [timeSteps]), channels, size.height, size.width]
    const length = this.#frame * (timeSteps ?? 1)
    if (length > 2 ** 29)
      throw new DatasetFormatError(`frames: [${this.#shape}] is more than 2^29 values: use fewer steps`)
    this.#data = new Float32Array(length)
  }

  add(events: EventChunk, i: number, step = 0): void {
    const on = events.polarity[i]! !== 0
    const channel = on && this.#polarity === 'separate' ? this.#plane : 0
    const at = step * this.#frame + channel + events.y[i]! * this.#width + events.x[i]!
    this.#data[at]! += on || this.#polarity !== 'signed' ? 1 : -1
  }

  take(): FrameTensor {
    const data = this.#data
    if (this.#clip !== Number.POSITIVE_INFINITY)
      for (let i = 0; i < data.length; i++) data[i] = Math.max(-this.#clip, Math.min(this.#clip, data[i]!))
    this.#data = new Float32Array(data.length)
    return { shape: this.#shape, data }
  }
}
