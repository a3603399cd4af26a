/**
 * AEDAT 2.0, jAER's format: header lines that begin with '#' (the first is "#!AER-DAT2.0"), then 8 bytes per event: a 32-bit
 * address and a 32-bit time in microseconds, both big-endian; the time wraps after 71.6 minutes. What an address means depends on
 * the camera, and the file does not say which one in any fixed way: it is the reader's option.
 */
import { DatasetFormatError } from '../errors.ts'
import { type AddressLayout, DVS128_LAYOUT } from './aedat2-layouts.ts'
import { ByteReader } from './byte-reader.ts'
import {
  checkEvents,
  checkSize,
  createEventChunk,
  DEFAULT_CHUNK_EVENTS,
  type EventChunk,
  type EventRecording,
  type EventSource,
  type SensorSize,
  sliceEvents,
} from './event-chunk.ts'
import { Unwrapper } from './unwrapper.ts'

export interface Aedat2Options {
  /** What the address bits mean; default: the DVS128's, as CIFAR10-DVS has them. */
  readonly layout?: AddressLayout
  /** Most events per chunk; default 65,536. */
  readonly chunkEvents?: number
}

const MAGIC = '#!AER-DAT2.0'
const EVENT_BYTES = 8
/** Longest header line, and most of them: jAER puts a camera's settings there. */
const MAX_LINE = 65_536
const MAX_LINES = 10_000

/**
 * Reads AEDAT 2.0 as a stream; addresses that are no pixel events (frames, IMU samples, triggers) are left out.
 * @throws DatasetFormatError while reading: no AEDAT 2.0, an event outside the sensor, or bytes that are no whole event
 * @example
 * ```ts
 * import { collectEvents, encodeAedat2, parseNmnist, readAedat2 } from '@he-ml/datasets'
 * const file = encodeAedat2(parseNmnist(Uint8Array.of(3, 33, 0x80, 1, 2)))
 * console.log((await collectEvents(readAedat2(file))).timestamp[0]) // 258
 * ```
 */
export function readAedat2(source: EventSource, options: Aedat2Options = {}): EventRecording {
  const { layout = DVS128_LAYOUT, chunkEvents = DEFAULT_CHUNK_EVENTS } = options
  checkSize(layout, 65_536, 'AEDAT 2.0')
  return {
    width: layout.width,
    height: layout.height,
    async *[Symbol.asyncIterator]() {
      const bytes = new ByteReader(source)
      const clock = new Unwrapper(2 ** 32)
      try {
        await skipHeader(bytes)
        for (;;) {
          const at = bytes.position
          const block = await bytes.read(chunkEvents * EVENT_BYTES)
          if (block.length === 0) return
          yield decode(block, layout, clock, at)
        }
      } finally {
        await bytes.close()
      }
    },
  }
}

function decode(bytes: Uint8Array, layout: AddressLayout, clock: Unwrapper, start: number): EventChunk {
  if (bytes.length % EVENT_BYTES !== 0)
    throw new DatasetFormatError(
      `AEDAT 2.0: expected events of ${EVENT_BYTES} bytes, got ${bytes.length % EVENT_BYTES} bytes at byte ${start + bytes.length - (bytes.length % EVENT_BYTES)}: cut off`,
    )
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const events = createEventChunk(bytes.length / EVENT_BYTES)
  let count = 0
  for (let at = 0; at < bytes.length; at += EVENT_BYTES) {
    const time = clock.unwrap(view.getUint32(at + 4))
    const address = view.getUint32(at)
    const event = layout.decode(address)
    if (!event) continue
    if (event.x >= layout.width || event.y >= layout.height || event.x < 0 || event.y < 0)
      throw new DatasetFormatError(
        `AEDAT 2.0: the address 0x${address.toString(16)} at byte ${start + at} is outside a ${layout.name} (${layout.width} x ${layout.height}): give the camera's layout`,
      )
    events.x[count] = event.x
    events.y[count] = event.y
    events.polarity[count] = event.polarity
    events.timestamp[count] = time
    count++
  }
  return sliceEvents(events, 0, count)
}

/** Passes over the header lines. Binary data that happens to begin with '#' is told apart by its control characters. */
async function skipHeader(bytes: ByteReader): Promise<void> {
  for (let line = 0; line < MAX_LINES; line++) {
    const [first] = await bytes.peek(1)
    if (first !== 0x23) {
      if (line === 0) throw new DatasetFormatError(`AEDAT 2.0: expected "${MAGIC}" at the start, got another file`)
      return
    }
    const length = await lineLength(bytes)
    if (line === 0) {
      const start = new TextDecoder('latin1').decode((await bytes.peek(MAX_LINE)).subarray(0, length || MAGIC.length))
      if (length === 0 || !start.startsWith(MAGIC))
        throw new DatasetFormatError(
          `AEDAT 2.0: expected "${MAGIC}" at the start, got ${JSON.stringify(start.trim().slice(0, 40))}`,
        )
    }
    if (length === 0) return
    await bytes.skip(length)
  }
  throw new DatasetFormatError(`AEDAT 2.0: more than ${MAX_LINES} header lines`)
}

/** Length of the text line that comes next, with its line feed; 0 when what comes is no line of text. */
async function lineLength(bytes: ByteReader): Promise<number> {
  for (let size = 256; size <= MAX_LINE; size *= 2) {
    const ahead = await bytes.peek(size)
    for (let i = 0; i < ahead.length; i++) {
      const byte = ahead[i]!
      if (byte === 0x0a) return i + 1
      if (byte < 0x20 && byte !== 0x09 && byte !== 0x0d) return 0
    }
    if (ahead.length < size) return 0
  }
  return 0
}

export interface Aedat2WriteOptions {
  /** What the address bits mean; default: the DVS128's. */
  readonly layout?: AddressLayout
  /** Header lines without '#', after the first; printable ASCII. */
  readonly comments?: readonly string[]
}

/**
 * The bytes of an AEDAT 2.0 recording.
 * @param events times from 0, never falling, no gap of 2^31 us or more
 * @throws DatasetFormatError when the format or the camera cannot hold the events
 */
export function encodeAedat2(events: EventChunk, options: Aedat2WriteOptions = {}): Uint8Array {
  const writer = new Aedat2Encoder(options)
  const header = writer.header()
  const body = writer.events(events)
  const bytes = new Uint8Array(header.length + body.length)
  bytes.set(header)
  bytes.set(body, header.length)
  return bytes
}

/** Piece by piece: {@link encodeAedat2} and the writer of files share it. */
export class Aedat2Encoder {
  readonly #layout: AddressLayout
  readonly #comments: readonly string[]
  #previous = 0

  constructor({ layout = DVS128_LAYOUT, comments = [] }: Aedat2WriteOptions = {}) {
    for (const line of comments)
      if (!/^[\x20-\x7e]*$/.test(line) || line.length > 1000)
        throw new DatasetFormatError('AEDAT 2.0: expected comments of up to 1,000 printable ASCII characters')
    this.#layout = layout
    this.#comments = comments
  }

  /** The camera's. */
  get size(): SensorSize {
    return this.#layout
  }

  header(): Uint8Array {
    const lines = [MAGIC, ...[`AEChip: ${this.#layout.chip}`, ...this.#comments].map((line) => `# ${line}`)]
    return new TextEncoder().encode(lines.map((line) => `${line}\r\n`).join(''))
  }

  events(events: EventChunk): Uint8Array {
    checkEvents(events, this.#layout, 'AEDAT 2.0')
    const bytes = new Uint8Array(events.x.length * EVENT_BYTES)
    const view = new DataView(bytes.buffer)
    for (let i = 0; i < events.x.length; i++) {
      const time = events.timestamp[i]!
      if (time < this.#previous || time - this.#previous >= 2 ** 31)
        throw new DatasetFormatError(
          `AEDAT 2.0: event ${i} is at ${time} us after one at ${this.#previous} us: expected rising times from 0 with gaps below 2^31 us: sort and shift them, or write AEDAT 4`,
        )
      this.#previous = time
      const polarity = events.polarity[i] ? 1 : 0
      view.setUint32(i * EVENT_BYTES, this.#layout.encode({ x: events.x[i]!, y: events.y[i]!, polarity }) >>> 0)
      view.setUint32(i * EVENT_BYTES + 4, time % 2 ** 32)
    }
    return bytes
  }
}
