/**
 * Events of an event camera, as arrays of equal length. An event says that the log-intensity of one pixel has risen (ON) or
 * fallen (OFF) by about one threshold since its last event. The origin is the upper left pixel, x goes right, y goes down.
 */
import { DatasetFormatError } from '../errors.ts'
import type { BadRecords } from './bad-records.ts'

/** Some consecutive events of a recording, in the order of the file. */
export interface EventChunk {
  /** Column, below the sensor's width. */
  readonly x: Uint16Array
  /** Row, below the sensor's height. */
  readonly y: Uint16Array
  /** 1 = ON (brighter), 0 = OFF (darker). */
  readonly polarity: Uint8Array
  /** Microseconds, integers below 2^53 in magnitude, unwrapped: the formats' short counters never jump back here. */
  readonly timestamp: Float64Array
}

/** Columns and rows of a sensor. */
export interface SensorSize {
  /** Columns, at least 1. */
  readonly width: number
  /** Rows, at least 1. */
  readonly height: number
}

/** A recording that is read piece by piece: what `for await` gives are chunks of bounded size. */
export interface EventRecording extends SensorSize, AsyncIterable<EventChunk> {}

/** A recording in a file. It can be read again when its source is a path or bytes. */
export interface EventFile extends EventRecording {
  /** What the newest reading has left out so far. */
  readonly bad: BadRecords
}

/** Where events come from: a path, the file's bytes, or its bytes piece by piece (readable once). */
export type EventSource = string | Uint8Array | AsyncIterable<Uint8Array>

/** Most events that a reader puts into one chunk unless told otherwise. */
export const DEFAULT_CHUNK_EVENTS = 65_536

/** Room for `count` events, all zero. */
export function createEventChunk(count: number): EventChunk {
  return {
    x: new Uint16Array(count),
    y: new Uint16Array(count),
    polarity: new Uint8Array(count),
    timestamp: new Float64Array(count),
  }
}

/** Events from (included) to (excluded), sharing memory. */
export function sliceEvents(events: EventChunk, from: number, to: number): EventChunk {
  return {
    x: events.x.subarray(from, to),
    y: events.y.subarray(from, to),
    polarity: events.polarity.subarray(from, to),
    timestamp: events.timestamp.subarray(from, to),
  }
}

/**
 * All chunks as one.
 * @example
 * ```ts
 * import { concatenateEvents, createEventChunk } from '@he-ml/datasets'
 * console.log(concatenateEvents([createEventChunk(2), createEventChunk(3)]).x.length) // 5
 * ```
 */
export function concatenateEvents(chunks: readonly EventChunk[]): EventChunk {
  const all = createEventChunk(chunks.reduce((sum, c) => sum + c.x.length, 0))
  let at = 0
  for (const chunk of chunks) {
    all.x.set(chunk.x, at)
    all.y.set(chunk.y, at)
    all.polarity.set(chunk.polarity, at)
    all.timestamp.set(chunk.timestamp, at)
    at += chunk.x.length
  }
  return all
}

/**
 * A whole recording in memory; for short ones.
 * @param limit most events accepted; default 2^24 (208 MB)
 * @throws DatasetFormatError when there are more; what the recording throws
 */
export async function collectEvents(recording: AsyncIterable<EventChunk>, limit = 2 ** 24): Promise<EventChunk> {
  const chunks: EventChunk[] = []
  let count = 0
  for await (const chunk of recording) {
    count += chunk.x.length
    if (count > limit)
      throw new DatasetFormatError(`expected at most ${limit} events, got more: read it chunk by chunk, or raise limit`)
    chunks.push(chunk)
  }
  return concatenateEvents(chunks)
}

/** @throws DatasetFormatError when the arrays differ in length or an event lies outside the sensor */
export function checkEvents(events: EventChunk, size: SensorSize, what: string): void {
  const count = events.x.length
  if (events.y.length !== count || events.polarity.length !== count || events.timestamp.length !== count)
    throw new DatasetFormatError(
      `${what}: expected arrays of one length, got x ${count}, y ${events.y.length}, polarity ${events.polarity.length}, timestamp ${events.timestamp.length}`,
    )
  for (let i = 0; i < count; i++) {
    if (events.x[i]! >= size.width || events.y[i]! >= size.height)
      throw new DatasetFormatError(
        `${what}: event ${i} is at (${events.x[i]}, ${events.y[i]}), outside a sensor of ${size.width} x ${size.height}`,
      )
    if (!Number.isSafeInteger(events.timestamp[i]))
      throw new DatasetFormatError(
        `${what}: event ${i} is at ${events.timestamp[i]} us: expected an integer below 2^53`,
      )
  }
}

/** @throws DatasetFormatError unless both are integers from 1 to `most` */
export function checkSize({ width, height }: SensorSize, most: number, what: string): void {
  for (const side of [width, height])
    if (!Number.isInteger(side) || side < 1 || side > most)
      throw new DatasetFormatError(`${what}: expected a sensor of 1 to ${most} pixels a side, got ${width} x ${height}`)
}
