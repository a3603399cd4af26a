/** Events for tests. */
import { expect } from 'vitest'
import { createEventChunk, type EventChunk } from '../index.ts'

/** Events from [x, y, polarity, timestamp]. */
export function eventsOf(rows: readonly (readonly [number, number, number, number])[]): EventChunk {
  const chunk = createEventChunk(rows.length)
  rows.forEach(([x, y, polarity, timestamp], i) => {
    chunk.x[i] = x
    chunk.y[i] = y
    chunk.polarity[i] = polarity
    chunk.timestamp[i] = timestamp
  })
  return chunk
}

/** Many events on a small sensor, a few us apart, the same each time. */
export function manyEvents(count: number, start = 0): EventChunk {
  return eventsOf(
    Array.from({ length: count }, (_, i) => [(i * 7) % 34, (i * 13) % 31, (i * 5) % 3 === 0 ? 1 : 0, start + i * 3]),
  )
}

/** Bytes in pieces of these sizes, in turn. */
export async function* inPieces(bytes: Uint8Array, ...sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!
    yield bytes.slice(at, at + size)
    at += size
  }
}

/** Equality of many events by their bytes: comparing element by element takes seconds. */
export function expectSame(actual: EventChunk, expected: EventChunk): void {
  for (const key of ['x', 'y', 'polarity', 'timestamp'] as const) {
    const [a, b] = [actual[key], expected[key]].map((v) => Buffer.from(v.buffer, v.byteOffset, v.byteLength))
    expect(actual[key].length).toBe(expected[key].length)
    expect(a!.equals(b!)).toBe(true)
  }
}
