import type { EventChunk, SensorSize } from './event-chunk.ts'

/** What describes a recording in a few numbers. Means are NaN where there are no events. */
export interface EventStatistics {
  /** Events in all. */
  readonly count: number
  /** Share of ON events. */
  readonly onShare: number
  /** Time of the first and the last event, in us. */
  readonly first: number
  /** Time of the last event, in us. */
  readonly last: number
  /** Mean column, from 0 at the left. */
  readonly meanX: number
  /** Mean row, from 0 at the top. */
  readonly meanY: number
  /** Standard deviations of the coordinates of these very events (divided by their number): 0 for a single one. */
  readonly stdX: number
  /** As `stdX`, of the rows. */
  readonly stdY: number
  /** Share of the sensor's pixels that had an event at all. */
  readonly activePixels: number
}

/**
 * Statistics of a recording, chunk by chunk.
 * @example
 * ```ts
 * import { eventStatistics, readNmnist } from '@he-ml/datasets'
 * const file = Uint8Array.of(3, 33, 0x80, 1, 2, 5, 33, 0, 1, 3)
 * console.log((await eventStatistics({ width: 34, height: 34 }, readNmnist(file))).onShare) // 0.5
 * ```
 */
export async function eventStatistics(
  size: SensorSize,
  chunks: Iterable<EventChunk> | AsyncIterable<EventChunk>,
): Promise<EventStatistics> {
  const seen = new Uint8Array(size.width * size.height)
  let [count, on, sumX, sumY, squareX, squareY] = [0, 0, 0, 0, 0, 0]
  let [first, last] = [Number.NaN, Number.NaN]
  for await (const { x, y, polarity, timestamp } of chunks)
    for (let i = 0; i < x.length; i++) {
      count++
      on += polarity[i]!
      sumX += x[i]!
      sumY += y[i]!
      squareX += x[i]! ** 2
      squareY += y[i]! ** 2
      seen[y[i]! * size.width + x[i]!] = 1
      if (!(timestamp[i]! >= first)) first = timestamp[i]!
      if (!(timestamp[i]! <= last)) last = timestamp[i]!
    }
  const [meanX, meanY] = [sumX / count, sumY / count]
  return {
    count,
    onShare: on / count,
    first,
    last,
    meanX,
    meanY,
    stdX: deviation(count, sumX, squareX),
    stdY: deviation(count, sumY, squareY),
    activePixels: seen.reduce((sum, s) => sum + s, 0) / seen.length,
  }
}

/** Sums of coordinates and of their squares are exact: of 2^21 events with coordinates below 2^16, of more on smaller sensors. */
function deviation(count: number, sum: number, squares: number): number {
  const mean = sum / count
  // rounding may leave less than nothing where all are equal
  return Math.sqrt(Math.max(0, squares / count - mean ** 2))
}
